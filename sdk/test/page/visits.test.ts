import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { FakeBrowser, SITE, until, visit, type Sdk } from "../fakes/browser.ts";
import { keyOf, problem } from "../fakes/server.ts";

const A_DAY = 86_400_000;

let browser: FakeBrowser;

/** Whoever comes back to the site: a new page, the same browser. */
async function comesBack(options = {}): Promise<Sdk> {
  browser.server.calls = [];
  const sdk = await visit();
  await sdk.init(options);
  return sdk;
}

const called = (): string[] => browser.server.calls.map(({ method, path }) => `${method} ${path}`);
const whole = ["GET /vapid-key", "POST /subscribe"];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  browser = new FakeBrowser().install();
  const sdk = await visit();
  await sdk.subscribe();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a visit when nothing has changed", () => {
  it("calls nobody on the same day", async () => {
    const sdk = await comesBack();
    expect(await sdk.state()).toBe("registered");
    expect(called()).toEqual([]);
    expect(browser.registered).toHaveLength(1);
  });

  it("tells the server once a day that the device is still there", async () => {
    vi.setSystemTime(Date.now() + A_DAY);
    await comesBack();
    expect(called()).toEqual(whole);
    expect(browser.server.to("/subscribe")[0]?.body).toMatchObject({ id: "sub_1", secret: "secret-1" });
    await comesBack();
    expect(called()).toEqual([]);
  });

  it("is not silent for years when the clock was wrong", async () => {
    vi.setSystemTime(Date.now() - 2 * A_DAY);
    await comesBack();
    expect(called()).toEqual(whole);
  });
});

describe("a visit mends", () => {
  test("another VAPID key, within a day", async () => {
    browser.server.key = keyOf("n");
    vi.setSystemTime(Date.now() + A_DAY);
    const sdk = await comesBack();
    expect(browser.subscription?.key).toBe(keyOf("n"));
    expect(await sdk.subscription()).toEqual({ id: "sub_2" });
  });

  test("a rotated VAPID key on the next visit, which the script's first line tells", async () => {
    browser.server.key = keyOf("n");
    (self as unknown as { __tidings: { key?: string } }).__tidings.key = keyOf("n");
    const sdk = await comesBack();
    expect(called()).toEqual(whole);
    expect(browser.subscription?.key).toBe(keyOf("n"));
    expect(await sdk.subscription()).toEqual({ id: "sub_2" });
    await comesBack();
    expect(called()).toEqual([]);
  });

  test("a subscription that the browser dropped", async () => {
    browser.registrations.get(`${SITE}/`)!.subscription = null;
    expect(await (await comesBack()).state()).toBe("registered");
    expect(browser.subscription?.endpoint).toBe("https://push.service/2");
  });

  test("a subscription that the browser replaced", async () => {
    browser.subscribe(browser.worker(), browser.server.key, "other");
    await comesBack();
    expect(browser.server.to("/subscribe")[0]?.body).toMatchObject({
      subscription: { endpoint: "https://push.service/other" },
      secret: "secret-1",
    });
  });

  test("a worker that is gone", async () => {
    browser.registrations.clear();
    expect(await (await comesBack()).state()).toBe("registered");
  });

  test("a worker whose file has moved within its folder", async () => {
    browser.registrations.get(`${SITE}/`)!.fileIsThere = false;
    expect(await (await comesBack({ serviceWorker: { path: "/sw.js" } })).state()).toBe("registered");
    expect(browser.registrations.get(`${SITE}/`)?.active.scriptURL).toBe(`${SITE}/sw.js`);
  });

  test("another language", async () => {
    browser.navigator["language"] = "fr";
    await comesBack();
    expect(browser.server.to("/subscribe")[0]?.body).toMatchObject({ locale: "fr" });
  });

  test("a move to another App", async () => {
    const sdk = await comesBack({ app: "app_2" });
    const { url, body } = browser.server.calls.at(-1)!;
    expect(url).toBe("https://push.example/v1/app_2/push/subscribe");
    expect(body).not.toHaveProperty("secret");
    expect(sdk.lastError?.code).toBeUndefined();
  });

  test("what failed on the last one", async () => {
    browser.registrations.clear();
    browser.server.down = true;
    const failed = await comesBack();
    expect(await failed.state()).toBe("unregistered");
    expect(failed.lastError?.code).toBe("server_unreachable");
    browser.server.down = false;
    expect(await (await comesBack()).state()).toBe("registered");
  });

  test("a first attempt that got the permission and nothing else", async () => {
    browser = new FakeBrowser().install();
    browser.server.down = true;
    browser.registering = () => Promise.reject(new TypeError("404"));
    expect(await (await visit()).subscribe()).toBe("unregistered");
    browser.server.down = false;
    browser.registering = () => undefined;
    expect(await (await comesBack()).state()).toBe("registered");
  });
});

describe("a visit with the permission, but nothing chosen here", () => {
  beforeEach(() => {
    browser = new FakeBrowser().install();
    browser.permission = "granted";
  });

  it("registers nothing: the permission may be for something else", async () => {
    expect(await (await comesBack()).state()).toBe("unregistered");
    expect(browser.registered).toEqual([]);
    expect(called()).toEqual([]);
  });

  it("takes over who had a subscription of another push service", async () => {
    browser.subscribe(browser.worker(`${SITE}/`, `${SITE}/VendorWorker.js`), keyOf("v"));
    expect(await (await comesBack()).state()).toBe("registered");
    expect(browser.subscription?.key).toBe(keyOf("k"));
    expect(browser.log).not.toContain("ask");
  });

  it("mends it for them, too, when the browser drops it later", async () => {
    const registration = browser.worker(`${SITE}/`, `${SITE}/VendorWorker.js`);
    browser.subscribe(registration, keyOf("v"));
    await comesBack();
    registration.subscription = null;
    expect(await (await comesBack()).state()).toBe("registered");
    expect(browser.subscription).not.toBeNull();
  });

  it("leaves alone what another App of this site has, also with the same key", async () => {
    const at = (app: string): object => ({ app, serviceWorker: { path: `/${app}/sw.js` } });
    for (const app of ["app_1", "app_2"]) {
      const sdk = await visit();
      await sdk.init(at(app));
      expect(await sdk.subscribe()).toBe("registered");
    }
    expect([...browser.registrations.values()].map(({ subscription }) => subscription !== null)).toEqual([true, true]);
  });

  it("takes nobody over for an App who has chosen another App of this site", async () => {
    const scope = `${SITE}/a/`;
    await (await visit()).init({ app: "app_1", serviceWorker: { path: "/a/sw.js", scope } });
    const first = await visit();
    await first.init({ app: "app_1", serviceWorker: { path: "/a/sw.js", scope } });
    expect(await first.subscribe()).toBe("registered");
    const second = await comesBack({ app: "app_2", serviceWorker: { path: "/b/sw.js", scope: `${SITE}/b/` } });
    expect(await second.state()).toBe("unregistered");
    expect(called()).toEqual([]);
    const again = await comesBack({ app: "app_1", serviceWorker: { path: "/a/sw.js", scope } });
    expect(await again.subscription()).toEqual({ id: "sub_1" });
  });
});

describe("turning off", () => {
  it("ends it at the browser and at the server", async () => {
    const sdk = await comesBack();
    const subscription = browser.subscription;
    expect(await sdk.unsubscribe()).toBe("unregistered");
    expect(sdk.lastError).toBeUndefined();
    expect(subscription?.alive).toBe(false);
    expect(browser.server.to("/subscribe", "DELETE").map(({ body }) => body)).toEqual([
      { id: "sub_1", secret: "secret-1", reason: "turned_off" },
    ]);
  });

  it("stays off on every later visit, although the permission remains", async () => {
    await (await comesBack()).unsubscribe();
    vi.setSystemTime(Date.now() + 30 * A_DAY);
    expect(await (await comesBack()).state()).toBe("unregistered");
    expect(called()).toEqual([]);
    expect(await (await visit()).subscribe()).toBe("registered");
    expect(await (await comesBack()).state()).toBe("registered");
  });

  it("does no harm twice, or before there was anything", async () => {
    const sdk = await comesBack();
    await sdk.unsubscribe();
    expect(await sdk.unsubscribe()).toBe("unregistered");
    expect(called()).toEqual(["DELETE /subscribe"]);
    browser = new FakeBrowser().install();
    expect(await (await visit()).unsubscribe()).toBe("undecided");
  });

  it("ends the browser's side when the server does not answer, and says so", async () => {
    const sdk = await comesBack();
    browser.server.down = true;
    expect(await sdk.unsubscribe()).toBe("unregistered");
    expect(browser.subscription).toBeNull();
    expect(sdk.lastError?.code).toBe("server_unreachable");
  });

  it("ends the server's side when the browser fails", async () => {
    const sdk = await comesBack();
    browser.subscription!.unsubscribe = () => Promise.reject(new DOMException("no", "NetworkError"));
    expect(await sdk.unsubscribe()).toBe("unregistered");
    expect(called()).toEqual(["DELETE /subscribe"]);
    expect(sdk.lastError?.code).toBe("failed");
  });

  it("goes on with the next visit where neither browser nor server could be told", async () => {
    const sdk = await comesBack();
    const { unsubscribe } = browser.subscription!;
    browser.subscription!.unsubscribe = () => Promise.reject(new DOMException("no", "NetworkError"));
    browser.server.down = true;
    await sdk.unsubscribe();
    browser.subscription!.unsubscribe = unsubscribe;
    browser.server.down = false;
    expect(await (await comesBack()).state()).toBe("unregistered");
    expect([browser.subscription, called()]).toEqual([null, ["DELETE /subscribe"]]);
    await comesBack();
    expect(called()).toEqual([]);
  });

  it("gives way to a click that comes after it", async () => {
    const sdk = await comesBack();
    const all = await Promise.all([sdk.subscribe(), sdk.unsubscribe(), sdk.subscribe()]);
    expect(all.at(-1)).toBe("registered");
    expect(browser.subscription).not.toBeNull();
  });
});

describe("a permission that was taken back", () => {
  const ended = (): unknown[] => browser.server.to("/subscribe", "DELETE").map(({ body }) => body);

  it("is told to the server on the next visit, once", async () => {
    browser.permission = "denied";
    expect(await (await comesBack()).state()).toBe("denied");
    expect(ended()).toEqual([{ id: "sub_1", secret: "secret-1", reason: "permission_revoked" }]);
    await comesBack();
    expect(called()).toEqual([]);
  });

  it("is told at once while the page is open", async () => {
    const sdk = await comesBack();
    const states: string[] = [];
    sdk.on("change", (state) => states.push(state));
    browser.setPermission("default");
    await until(() => states.includes("undecided"));
    // The page of the first visit is open too, and says the same.
    expect(ended()[0]).toEqual({ id: "sub_1", secret: "secret-1", reason: "permission_revoked" });
  });

  it("is told later when the server does not answer", async () => {
    browser.permission = "denied";
    browser.server.down = true;
    await comesBack();
    browser.server.down = false;
    await comesBack();
    expect(ended()).toHaveLength(1);
  });

  it("comes back as the same device", async () => {
    browser.permission = "denied";
    await comesBack();
    browser.permission = "granted";
    browser.registrations.get(`${SITE}/`)!.subscription = null;
    const sdk = await comesBack();
    expect(await sdk.state()).toBe("registered");
    expect(browser.server.to("/subscribe")[0]?.body).toMatchObject({ id: "sub_1", secret: "secret-1" });
    expect(browser.log.filter((one) => one === "ask")).toHaveLength(1);
  });
});

describe("turning off where the server does not answer", () => {
  it("is told on the next visit", async () => {
    const sdk = await comesBack();
    browser.server.down = true;
    await sdk.unsubscribe();
    browser.server.down = false;
    await comesBack();
    expect(called()).toEqual(["DELETE /subscribe"]);
    await comesBack();
    expect(called()).toEqual([]);
  });

  it("is over when the server knows nothing of the device", async () => {
    browser.server.instead.set("DELETE /subscribe", () => problem(404, "not_found"));
    const sdk = await comesBack();
    await sdk.unsubscribe();
    expect(sdk.lastError).toBeUndefined();
    await comesBack();
    expect(called()).toEqual([]);
  });
});

describe("where IndexedDB is forbidden", () => {
  const forbidden = {
    "throws at once": {
      open() {
        throw new DOMException("private", "SecurityError");
      },
    },
    "fails": {
      open() {
        const request = { onerror: () => undefined };
        setImmediate(() => request.onerror());
        return request;
      },
    },
    "is not there": undefined,
  };

  test.each(Object.keys(forbidden) as (keyof typeof forbidden)[])("it %s: all works while the page is open", async (how) => {
    browser = new FakeBrowser().install();
    vi.stubGlobal("indexedDB", forbidden[how]);
    const sdk = await visit();
    expect(await sdk.subscribe()).toBe("registered");
    expect(await sdk.login("u-1")).toBe("registered");
    expect(await (await comesBack()).state()).toBe("registered");
    expect(await sdk.unsubscribe()).toBe("unregistered");
    expect(await (await comesBack()).state()).toBe("unregistered");
  });

  it("never answers: it is given up after three seconds", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    browser = new FakeBrowser().install();
    vi.stubGlobal("indexedDB", { open: () => ({}) });
    const state = (await visit()).subscribe();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await state).toBe("registered");
  });
});

declare const setImmediate: (done: () => void) => void;
