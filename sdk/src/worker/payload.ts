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
  options: NotificationOptions & { actions?: { action: string; title: string }[]; image?: string; renotify?: boolean };
  kept: Kept;
  badge: unknown;
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
    .map(({ id, title, url }) => ({ id: text(id), title: text(title), url: text(url) }))
    .filter(({ id, title }) => id && title);
  const delivery = text(ours["d"]);
  const title = text(notification["title"]);
  const kept = { delivery, token: text(ours["t"]), url: text(notification["navigate"]), actions, data: notification["data"] };
  const tag = text(notification["tag"]) || delivery;
  // What is undefined is as good as not there.
  const options = {
    body: text(notification["body"]) || (title ? "" : "You have a new notification"),
    data: { tidings: kept },
    tag: tag || undefined,
    // A newer message in the place of an older one is news, and browsers throw at this without a tag.
    renotify: tag !== delivery,
    lang: text(notification["lang"]) || undefined,
    icon: text(notification["icon"]) || undefined,
    image: text(ours["i"]) || undefined,
    actions: actions.map(({ id, title }) => ({ action: id, title })),
  } as Shown["options"];
  return { title: title || host, options, kept, badge: notification["app_badge"] };
}

/** What we kept with a notification; undefined for those that the site's own worker shows. */
export function keptIn(notification: Notification): Kept | undefined {
  return loose(notification.data)["tidings"] as Kept | undefined;
}
