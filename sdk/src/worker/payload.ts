/** What came with a push, whatever came: always enough to show something. */
export interface Action {
  id: string;
  title: string;
  url?: string;
}

/** Kept with the notification until it is clicked or closed. */
export interface Kept {
  delivery: string;
  token: string;
  url: string;
  actions: Action[];
  data: unknown;
}

export interface Shown {
  title: string;
  options: NotificationOptions & { actions?: { action: string; title: string }[]; image?: string; renotify?: boolean };
  kept: Kept;
  badge: number | undefined;
}

type Loose = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const loose = (value: unknown): Loose => (value && typeof value === "object" ? (value as Loose) : {});

export function parsed(data: PushMessageData | null, host: string): Shown {
  let payload: Loose = {};
  try {
    payload = loose(data?.json());
  } catch {
    // Not ours: shown with plain words, because a push that shows nothing costs the permission.
  }
  const notification = loose(payload["notification"]);
  const ours = loose(payload["tidings"]);
  const actions = (Array.isArray(ours["a"]) ? ours["a"] : []).map(loose).flatMap((one) => {
    const url = text(one["url"]);
    return text(one["id"]) && text(one["title"])
      ? [{ id: text(one["id"]), title: text(one["title"]), ...(url ? { url } : {}) }]
      : [];
  });
  const delivery = text(ours["d"]);
  const title = text(notification["title"]);
  const kept: Kept = { delivery, token: text(ours["t"]), url: text(notification["navigate"]), actions, data: notification["data"] };
  const options: Shown["options"] = { body: text(notification["body"]) || (title ? "" : "You have a new notification"), data: kept };
  const tag = text(notification["tag"]) || delivery;
  if (tag) options.tag = tag;
  if (text(notification["lang"])) options.lang = text(notification["lang"]);
  if (text(notification["icon"])) options.icon = text(notification["icon"]);
  if (text(ours["i"])) options.image = text(ours["i"]);
  if (actions.length) options.actions = actions.map(({ id, title }) => ({ action: id, title }));
  const badge = Number(notification["app_badge"]);
  return {
    title: title || host,
    options,
    kept,
    badge: "app_badge" in notification && badge >= 0 ? badge : undefined,
  };
}
