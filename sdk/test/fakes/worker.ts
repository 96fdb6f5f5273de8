/** A service worker's surroundings: registration, windows, notifications, events that wait. */
import { IDBFactory } from "fake-indexeddb";
import { vi } from "vitest";
import { APP, SERVER, Server } from "./server.ts";

export const SITE = "https://www.example";

export interface Notice {
  title: string;
  data: unknown;
  options: Record<string, unknown>;
  closed: boolean;
  close(): void;
}

export interface FakePage {
  url: string;
  controlled: boolean;
  frameType: string;
  heard: unknown[];
  focused: number;
  focus(): Promise<void>;
  navigate(url: string): Promise<void>;
  postMessage(data: unknown): void;
}

interface Timer {
  at: number;
  work: () => unknown;
}

export const SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15";
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";

export class FakeWorker {
  readonly server = new Server();
  readonly notices: Notice[] = [];
  readonly pages: FakePage[] = [];
  readonly opened: string[] = [];
  /** Tags of Background Sync that wait. */
  readonly syncs: string[] = [];
  /** What happened, in its order. */
  readonly log: string[] = [];
  readonly badges: number[] = [];
  readonly listeners = new Map<string, (event: unknown) => void>();
  private readonly timers: Timer[] = [];
  private now = 0;
  refuses: (options: Record<string, unknown>) => boolean = () => false;
  opening: () => unknown = () => undefined;
  subscribe = vi.fn(async (): Promise<unknown> => subscriptionAt("https://push.service/again"));

  page(url: string, { controlled = true, frameType = "top-level" } = {}): FakePage {
    const page: FakePage = {
      url,
      controlled,
      frameType,
      heard: [],
      focused: 0,
      focus: async () => {
        page.focused += 1;
      },
      navigate: async (to) => {
        if (!controlled) throw new TypeError("not controlled by this worker");
        page.url = to;
      },
      postMessage: (data) => {
        page.heard.push(structuredClone(data));
      },
    };
    this.pages.push(page);
    return page;
  }

  install({ served = true, badge = true, userAgent = CHROME, script = "/tidings-sw.js", active = "", sync = true } = {}): this {
    const self = {
      ...(served && { __tidings: { server: SERVER, app: APP } }),
      location: new URL(`${SITE}${script}`),
      addEventListener: (name: string, listener: (event: unknown) => void) => this.listeners.set(name, listener),
      skipWaiting: vi.fn(async () => this.log.push("skipWaiting")),
      registration: {
        scope: `${SITE}/`,
        active: active ? { scriptURL: `${SITE}${active}` } : null,
        pushManager: { subscribe: this.subscribe },
        ...(sync && { sync: { register: async (tag: string) => this.syncs.push(tag) } }),
        getNotifications: async ({ tag = "" } = {}) =>
          this.notices.filter((one) => !one.closed && (!tag || one.options["tag"] === tag)),
        showNotification: async (title: string, options: Record<string, unknown> = {}) => {
          if (this.refuses(options)) throw new TypeError("an option that this browser refuses");
          // What a browser does: it keeps a copy of the data, or throws.
          const notice = { title, options, data: structuredClone(options["data"]), closed: false, close: () => undefined as void };
          notice.close = () => void (notice.closed = true);
          // Safari keeps the older one of the same tag.
          const same = this.notices.filter((one) => options["tag"] && one.options["tag"] === options["tag"]);
          if (userAgent !== SAFARI) for (const one of same) one.closed = true;
          this.notices.push(notice);
          this.log.push("shown");
        },
      },
      clients: {
        claim: async () => this.log.push("claim"),
        matchAll: async ({ includeUncontrolled = false }) => this.pages.filter((one) => includeUncontrolled || one.controlled),
        openWindow: async (url: string) => {
          this.log.push("open");
          this.opened.push(url);
          return this.opening();
        },
      },
    };
    vi.stubGlobal("self", self);
    vi.stubGlobal("navigator", {
      userAgent,
      language: "de",
      ...(badge && { setAppBadge: async (count: number) => this.badges.push(count) }),
    });
    vi.stubGlobal("Notification", { maxActions: 2 });
    vi.stubGlobal("setTimeout", (work: () => unknown, wait = 0) => void this.timers.push({ at: this.now + wait, work }));
    vi.stubGlobal("indexedDB", new IDBFactory());
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      this.log.push("fetch");
      return this.server.fetch(url, init);
    });
    return this;
  }

  /** Start the worker anew, as browsers do whenever they like; what is stored stays, what it waited for is forgotten. */
  async start(): Promise<this> {
    this.listeners.clear();
    this.timers.length = 0;
    delete (self as { __tidingsHere?: boolean }).__tidingsHere;
    vi.resetModules();
    await import("../../src/worker/index.ts");
    return this;
  }

  /** Dispatch an event and wait for what it waits for; an event that waits for nothing is an error. */
  async dispatch(name: string, event: object = {}): Promise<void> {
    let waited: unknown[] | undefined;
    this.listeners.get(name)?.({ ...event, waitUntil: (promise: unknown) => (waited = [promise]) });
    if (!waited) throw new Error(`${name} did not call waitUntil while it was dispatched`);
    await waited[0];
  }

  /** Let time go by in a worker that is idle; browsers end it after 30 seconds. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (!due) break;
      this.timers.splice(this.timers.indexOf(due), 1);
      this.now = due.at;
      await due.work();
    }
    this.now = end;
  }

  /** Bring a push, and wait until the worker has done what it does after the event. */
  async push(payload: unknown): Promise<void> {
    await this.dispatch("push", { data: { json: () => payload } });
    await this.pass(10_000);
  }

  click(notice: object, action = ""): Promise<void> {
    return this.dispatch("notificationclick", { notification: notice, action });
  }

  get registration(): object {
    return (self as unknown as { registration: object }).registration;
  }

  /** The receipts that the server got. */
  get receipts(): unknown[] {
    return this.server.to("/receipts").map(({ body }) => body);
  }
}

export const subscriptionAt = (endpoint: string): object => ({
  endpoint,
  toJSON: () => ({ endpoint, keys: { p256dh: "p", auth: "a" } }),
});

/** A payload as the server writes it. */
export function payload(notification: object = {}, tidings: object = {}): object {
  return {
    web_push: 8030,
    notification: { title: "Spring tide", body: "Quay road closes", navigate: `${SITE}/tide`, tag: "d1", ...notification },
    tidings: { d: "d1", t: "token", ...tidings },
  };
}
