/** What came with a push, whatever came: always enough to show something. */
export interface Action {
  id: string;
  title: string;
  url: string;
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
  options: NotificationOptions & { actions?: { action: string; title: string }[]; image?: string };
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
  const actions = (Array.isArray(ours["a"]) ? ours["a"] : [])
    .map(loose)
    .map((one) => ({ id: text(one["id"]), title: text(one["title"]), url: text(one["url"]) }))
    .filter(({ id, title }) => id && title);
  const delivery = text(ours["d"]);
  const title = text(notification["title"]);
  const kept = { delivery, token: text(ours["t"]), url: text(notification["navigate"]), actions, data: notification["data"] };
  const options: Shown["options"] = {
    body: text(notification["body"]) || (title ? "" : "You have a new notification"),
    data: { tidings: kept },
  };
  const tag = text(notification["tag"]) || delivery;
  if (tag) options.tag = tag;
  if (text(notification["lang"])) options.lang = text(notification["lang"]);
  if (text(notification["icon"])) options.icon = text(notification["icon"]);
  if (text(ours["i"])) options.image = text(ours["i"]);
  if (actions.length) options.actions = actions.map(({ id, title }) => ({ action: id, title }));
  return { title: title || host, options, kept, badge: badgeFrom(notification["app_badge"]) };
}

/** WebKit takes a number or its digits, so we do. */
function badgeFrom(value: unknown): number | undefined {
  const count = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

/** What we kept with a notification; undefined for those that the site's own worker shows. */
export function keptIn(notification: Notification): Kept | undefined {
  return loose(notification.data)["tidings"] as Kept | undefined;
}
