/** A browser with a page in it: permission, service workers, push, as the specifications have them. */
import { IDBFactory } from "fake-indexeddb";
import { vi } from "vitest";
import { bytesFrom, textFrom } from "../../src/shared/keys.ts";
import { APP, SERVER, Server } from "./server.ts";

export const SITE = "https://www.example";

declare const setImmediate: (done: () => void) => void;

type Listener = (event: unknown) => void;

export class FakeSubscription {
  alive = true;
  options: { applicationServerKey: ArrayBuffer | null };
  readonly endpoint: string;
  private readonly gone: () => void;
  constructor(endpoint: string, key: Uint8Array<ArrayBuffer>, gone: () => void) {
    this.endpoint = endpoint;
    this.options = { applicationServerKey: key.buffer };
    this.gone = gone;
  }
  get key(): string | null {
    return textFrom(this.options.applicationServerKey);
  }
  async unsubscribe(): Promise<boolean> {
    this.alive = false;
    this.gone();
    return true;
  }
  toJSON(): object {
    return { endpoint: this.endpoint, expirationTime: null, keys: { p256dh: "p", auth: "a" } };
  }
}

export class FakeScript {
  readonly scriptURL: string;
  /** Whether ours is in it, so that it answers a page's hello. */
  hasOurs: boolean;
  silent = false;
  state = "activated";
  private readonly listeners: (() => void)[] = [];
  constructor(scriptURL: string, hasOurs: boolean) {
    this.scriptURL = scriptURL;
    this.hasOurs = hasOurs;
  }
  postMessage(data: { tidings?: string }, [port]: MessagePort[]): void {
    if (this.silent) return;
    port?.postMessage(this.hasOurs && data.tidings === "hello" ? { tidings: "hello", version: "0.0.0-test" } : "what?");
  }
  addEventListener(_: string, listener: () => void): void {
    this.listeners.push(listener);
  }
  get listens(): boolean {
    return this.listeners.length > 0;
  }
  become(state: string): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

export class FakeRegistration {
  readonly scope: string;
  active: FakeScript;
  waiting: FakeScript | null = null;
  installing: FakeScript | null = null;
  /** Whether the server still has the script. */
  fileIsThere = true;
  subscription: FakeSubscription | null = null;
  readonly pushManager;
  constructor(browser: FakeBrowser, scope: string, scriptURL: string) {
    this.scope = scope;
    this.active = new FakeScript(scriptURL, false);
    this.pushManager = {
      getSubscription: async () => this.subscription,
      subscribe: async (options: { applicationServerKey: Uint8Array<ArrayBuffer> }) => {
        browser.log.push("subscribe");
        await browser.subscribing();
        if (browser.permission !== "granted") throw new DOMException("Permission denied", "NotAllowedError");
        const held = this.subscription;
        if (held?.key === textFrom(options.applicationServerKey.buffer)) return held;
        if (held) throw new DOMException("Another key", "InvalidStateError");
        browser.endpoints += 1;
        return (this.subscription = browser.subscriptionAt(this, `${browser.endpoints}`, options.applicationServerKey));
      },
    };
  }

  async update(): Promise<void> {
    if (!this.fileIsThere) throw new TypeError("404");
  }
}

export class FakeBrowser {
  permission: NotificationPermission = "default";
  /** What the person answers; a promise that never settles when nobody does. */
  answer: () => NotificationPermission | Promise<NotificationPermission> = () => "granted";
  subscribing: () => void | Promise<void> = () => undefined;
  registering: () => void | Promise<void> = () => undefined;
  readonly log: string[] = [];
  readonly registrations = new Map<string, FakeRegistration>();
  readonly server = new Server();
  readonly registered: { url: string; options: RegistrationOptions }[] = [];
  endpoints = 0;
  private readonly messages: Listener[] = [];
  private readonly permissions: Listener[] = [];

  readonly navigator: Record<string, unknown> = {
    language: "de-AT",
    serviceWorker: {
      register: async (url: string, options: RegistrationOptions) => {
        this.registered.push({ url, options });
        await this.registering();
        const made = this.worker(options.scope ?? "", url);
        made.active.hasOurs = true;
        return made;
      },
      getRegistration: async (scope: string) =>
        [...this.registrations.values()].filter((one) => scope.startsWith(one.scope)).sort((a, b) => b.scope.length - a.scope.length)[0],
      getRegistrations: async () => [...this.registrations.values()],
      addEventListener: (_: string, listener: Listener) => this.messages.push(listener),
    },
    permissions: {
      query: async () => ({ addEventListener: (_: string, listener: Listener) => this.permissions.push(listener) }),
    },
  };

  /** A worker that is there, with its subscription kept when its script changes. */
  worker(scope = `${SITE}/`, url = `${SITE}/tidings-sw.js`): FakeRegistration {
    const made = this.registrations.get(scope) ?? new FakeRegistration(this, scope, url);
    if (made.active.scriptURL !== url) made.active = new FakeScript(url, false);
    this.registrations.set(scope, made);
    return made;
  }

  subscriptionAt(registration: FakeRegistration, name: string, key: Uint8Array<ArrayBuffer>): FakeSubscription {
    return new FakeSubscription(`https://push.service/${name}`, key, () => (registration.subscription = null));
  }

  /** Give a worker a subscription made with a key. */
  subscribe(registration: FakeRegistration, key: string, name = "old"): FakeSubscription {
    return (registration.subscription = this.subscriptionAt(registration, name, bytesFrom(key)));
  }

  get subscription(): FakeSubscription | null {
    return this.registrations.get(`${SITE}/`)?.subscription ?? null;
  }

  /** The worker says something to the page. */
  hears(data: unknown): void {
    for (const listener of this.messages) listener({ data });
  }

  /** The person changes the permission in the browser's settings. */
  setPermission(permission: NotificationPermission): void {
    this.permission = permission;
    for (const listener of this.permissions) listener({});
  }

  install({ notification = true, push = true, secure = true, served = true, href = `${SITE}/news/1` } = {}): this {
    const browser = this;
    const Notification = {
      get permission() {
        return browser.permission;
      },
      requestPermission: () => {
        browser.log.push("ask");
        return Promise.resolve(browser.answer()).then((given) => (browser.permission = given));
      },
    };
    vi.stubGlobal("window", { ...(notification && { Notification }), ...(push && { PushManager: {} }) });
    vi.stubGlobal("Notification", notification ? Notification : undefined);
    vi.stubGlobal("navigator", this.navigator);
    vi.stubGlobal("isSecureContext", secure);
    vi.stubGlobal("location", new URL(href));
    // A page that was come to from this site, unless a test says otherwise.
    if (typeof document === "undefined") vi.stubGlobal("document", { referrer: href });
    else Object.defineProperty(document, "referrer", { value: href, configurable: true });
    vi.stubGlobal("self", served ? { __tidings: { server: SERVER, app: APP } } : {});
    vi.stubGlobal("indexedDB", new IDBFactory());
    vi.stubGlobal("fetch", this.server.fetch);
    return this;
  }
}

export type Sdk = typeof import("../../src/page/index.ts");

/** Load the SDK as a new page does; what the browser stores stays. */
export async function visit(): Promise<Sdk> {
  vi.resetModules();
  return import("../../src/page/index.ts");
}

/** Let everything that waits for no clock go on until it is so; a busy machine may take its time. */
export async function until(so: () => unknown): Promise<void> {
  const end = performance.now() + 30_000;
  while (performance.now() < end && !so()) await new Promise<void>((resolve) => setImmediate(resolve));
  if (!so()) throw new Error(`It never came to this: ${so.toString()}`);
}
