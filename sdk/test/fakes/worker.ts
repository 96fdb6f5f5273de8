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
  heard: unknown[];
  focused: number;
  focus(): Promise<void>;
  postMessage(data: unknown): void;
}

export class FakeWorker {
  readonly server = new Server();
  readonly notices: Notice[] = [];
  readonly pages: FakePage[] = [];
  readonly opened: string[] = [];
  /** What happened, in its order. */
  readonly log: string[] = [];
  readonly badges: (number | "cleared")[] = [];
  readonly listeners = new Map<string, (event: unknown) => void>();
  refuses: (options: Record<string, unknown>) => boolean = () => false;
  opening: () => unknown = () => undefined;
  subscribe = vi.fn(async (): Promise<unknown> => subscriptionAt("https://push.service/again"));

  page(url: string): FakePage {
    const page: FakePage = {
      url,
      heard: [],
      focused: 0,
      focus: async () => {
        page.focused += 1;
      },
      postMessage: (data) => {
        page.heard.push(structuredClone(data));
      },
    };
    this.pages.push(page);
    return page;
  }

  install({ served = true, keepWaiting = false, badge = true } = {}): this {
    const self = {
      ...(served && { __tidings: { server: SERVER, app: APP } }),
      ...(keepWaiting && { __tidingsKeepWaiting: true }),
      location: new URL(`${SITE}/tidings-sw.js`),
      addEventListener: (name: string, listener: (event: unknown) => void) => this.listeners.set(name, listener),
      skipWaiting: vi.fn(async () => this.log.push("skipWaiting")),
      registration: {
        scope: `${SITE}/`,
        pushManager: { subscribe: this.subscribe },
        showNotification: async (title: string, options: Record<string, unknown>) => {
          if (this.refuses(options)) throw new TypeError("an option that this browser refuses");
          // What a browser does: it keeps a copy of the data, or throws.
          const notice = { title, options, data: structuredClone(options["data"]), closed: false, close: () => undefined as void };
          notice.close = () => void (notice.closed = true);
          this.notices.push(notice);
          this.log.push("shown");
        },
      },
      clients: {
        claim: async () => this.log.push("claim"),
        matchAll: async () => this.pages,
        openWindow: async (url: string) => {
          this.log.push("open");
          this.opened.push(url);
          return this.opening();
        },
      },
    };
    vi.stubGlobal("self", self);
    vi.stubGlobal("navigator", {
      language: "de",
      ...(badge && {
        setAppBadge: async (count: number) => this.badges.push(count),
        clearAppBadge: async () => this.badges.push("cleared"),
      }),
    });
    vi.stubGlobal("indexedDB", new IDBFactory());
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      this.log.push("fetch");
      return this.server.fetch(url, init);
    });
    return this;
  }

  /** Start the worker anew, as browsers do whenever they like; what is stored stays. */
  async start(): Promise<this> {
    this.listeners.clear();
    vi.resetModules();
    await import("../../src/worker/index.ts");
    return this;
  }

  /** Dispatch an event and wait for what it waits for; an event that waits for nothing is an error. */
  async dispatch(name: string, event: object = {}): Promise<void> {
    let waited: Promise<unknown> | undefined;
    this.listeners.get(name)?.({ ...event, waitUntil: (promise: Promise<unknown>) => (waited = promise) });
    if (!waited) throw new Error(`${name} did not call waitUntil while it was dispatched`);
    await waited;
  }

  push(payload: unknown): Promise<void> {
    return this.dispatch("push", { data: { json: () => payload } });
  }

  click(notice: object, action = ""): Promise<void> {
    return this.dispatch("notificationclick", { notification: notice, action });
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
