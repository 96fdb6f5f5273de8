import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { FakeBrowser, SITE, until, visit, type Sdk } from "../fakes/browser.ts";
import { json, keyOf, problem } from "../fakes/server.ts";

let browser: FakeBrowser;
let sdk: Sdk;

beforeEach(async () => {
  browser = new FakeBrowser().install();
  sdk = await visit();
});

const never = (): Promise<never> => new Promise(() => undefined);

describe("asking", () => {
  it("never happens by itself", async () => {
    await sdk.init({ user: { id: "u-1" } });
    await sdk.state();
    await sdk.unsubscribe();
    await sdk.login("u-1");
    await sdk.logout();
    expect(browser.log).toEqual([]);
    expect(browser.registered).toEqual([]);
    expect(browser.server.calls).toEqual([]);
  });

  it("never happens when the person has refused", async () => {
    browser.permission = "denied";
    expect(await sdk.init()).toBe("denied");
    expect(await sdk.subscribe()).toBe("denied");
    expect(browser.log).toEqual([]);
  });

  it("happens in the click itself, before anything is awaited", () => {
    void sdk.subscribe();
    expect(browser.log).toEqual(["ask"]);
  });

  it("happens in the click even while init is still at work", () => {
    void sdk.init();
    void sdk.subscribe();
    expect(browser.log).toEqual(["ask"]);
  });

  it("happens again at the next click, for Firefox hides a question that was not answered", () => {
    browser.answer = never;
    void sdk.subscribe();
    void sdk.subscribe();
    expect(browser.log).toEqual(["ask", "ask"]);
  });

  it("does not happen where permission was given before", async () => {
    browser.permission = "granted";
    expect(await sdk.subscribe()).toBe("registered");
    expect(browser.log).toEqual(["subscribe"]);
  });

  it("survives a browser that throws at the question", async () => {
    browser.answer = () => {
      throw new TypeError("not here");
    };
    expect(await sdk.subscribe()).toBe("undecided");
  });
});

describe("registering", () => {
  it("tells the server all that the API takes", async () => {
    await sdk.init({ user: { id: "u-42", token: "t" } });
    await sdk.subscribe();
    const [call] = browser.server.to("/subscribe");
    expect(call?.body).toEqual({
      subscription: { endpoint: "https://push.service/1", expirationTime: null, keys: { p256dh: "p", auth: "a" } },
      vapid_key: keyOf("k"),
      user: { id: "u-42", token: "t" },
      locale: "de-AT",
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
    expect(call?.init).toMatchObject({ credentials: "omit", headers: { "content-type": "application/json" } });
  });

  it("lets updates of the worker through every cache", async () => {
    await sdk.subscribe();
    expect(browser.registered).toEqual([
      { url: `${SITE}/tidings-sw.js`, options: { scope: `${SITE}/`, type: "classic", updateViaCache: "none" } },
    ]);
  });

  it("makes one subscription and one call of two clicks", async () => {
    expect(await Promise.all([sdk.subscribe(), sdk.subscribe()])).toEqual(["registered", "registered"]);
    expect(browser.log.filter((one) => one === "subscribe")).toHaveLength(1);
    expect(browser.server.to("/subscribe")).toHaveLength(1);
  });

  it("takes a user who was named between click and answer", async () => {
    const subscribed = sdk.subscribe();
    await sdk.login("u-7");
    expect(await subscribed).toBe("registered");
    expect([...browser.server.devices.values()].map(({ user }) => user)).toEqual(["u-7"]);
  });

  it("gives up a subscription made with another key", async () => {
    browser.permission = "granted";
    const old = browser.subscribe(browser.worker(), keyOf("o"));
    expect(await sdk.subscribe()).toBe("registered");
    expect(old.alive).toBe(false);
    expect(browser.subscription?.key).toBe(keyOf("k"));
  });

  it("does so as well where the browser does not say with which key it was made", async () => {
    browser.permission = "granted";
    const old = browser.subscribe(browser.worker(), keyOf("o"));
    old.options = { applicationServerKey: null };
    expect(await sdk.subscribe()).toBe("registered");
    expect(old.alive).toBe(false);
    expect(browser.subscription?.key).toBe(keyOf("k"));
  });

  it("leaves no second subscription with our key under a former scope", async () => {
    browser.permission = "granted";
    const former = browser.subscribe(browser.worker(`${SITE}/old/`, `${SITE}/old/sw.js`), browser.server.key);
    const foreign = browser.subscribe(browser.worker(`${SITE}/chat/`, `${SITE}/chat/sw.js`), keyOf("x"), "chat");
    await sdk.subscribe();
    expect([former.alive, foreign.alive]).toEqual([false, true]);
  });

  it("begins anew when the server wants a secret that was lost", async () => {
    browser.server.devices.set("https://push.service/1", { id: "sub_0", secret: "unknown", user: "u-1" });
    await sdk.init({ user: { id: "u-2" } });
    expect(await sdk.subscribe()).toBe("registered");
    expect(browser.subscription?.endpoint).toBe("https://push.service/2");
  });
});

describe("what goes wrong ends as unregistered, with the reason", () => {
  test("the server is unreachable", async () => {
    browser.server.down = true;
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("server_unreachable");
    expect(sdk.lastError?.message).toMatch(/https:\/\/push\.example does not answer/);
    browser.server.down = false;
    expect(await sdk.subscribe()).toBe("registered");
    expect(sdk.lastError).toBeUndefined();
  });

  test.each([
    ["GET /vapid-key", 404, "vapid_key_missing"],
    ["POST /subscribe", 422, "subscription_endpoint_forbidden"],
    ["POST /subscribe", 429, "rate_limited"],
    ["POST /subscribe", 503, "service_busy"],
  ])("the server refuses %s with %i %s", async (call, status, code) => {
    browser.server.instead.set(call, () => problem(status, code));
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(sdk.lastError).toMatchObject({ name: "TidingsError", code, message: `It is ${code}. Mend it so.` });
  });

  test.each([
    ["an HTML page", () => new Response("<html>", { status: 200 })],
    ["a gateway's error", () => new Response("Bad Gateway", { status: 502 })],
    ["JSON of something else", () => json({ hello: "world" })],
    ["no JSON object", () => json("no")],
  ])("something else answers: %s", async (_, answer) => {
    browser.server.instead.set("GET /vapid-key", answer);
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("server_unexpected");
  });

  test("the worker's file is not there", async () => {
    browser.registering = () => {
      throw new TypeError("bad HTTP response code (404)");
    };
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("worker_failed");
    expect(sdk.lastError?.message).toMatch(/tidings-sw\.js .*404/);
  });

  test("the push service refuses", async () => {
    browser.subscribing = () => {
      throw new DOMException("Registration failed - push service error", "AbortError");
    };
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("subscribe_failed");
  });
});

describe("nothing waits for ever", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("ends when the push service never answers", async () => {
    browser.subscribing = never;
    const state = sdk.subscribe();
    await until(() => browser.log.includes("subscribe"));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await state).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("timed_out");
    expect(sdk.lastError?.message).toMatch(/push service took longer than 20 s/);
  });

  it("ends when the server never answers", async () => {
    browser.server.instead.set("POST /subscribe", never);
    const state = sdk.subscribe();
    await until(() => browser.server.to("/subscribe").length);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await state).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("timed_out");
  });

  it("ends when the worker never registers", async () => {
    browser.registering = never;
    const state = sdk.subscribe();
    await until(() => browser.registered.length);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await state).toBe("unregistered");
    expect(sdk.lastError?.message).toMatch(/^The service worker took longer/);
  });

  it("is undecided when nobody answers the question, and still hears a late answer", async () => {
    let late: (given: NotificationPermission) => void = () => undefined;
    browser.answer = () => new Promise((resolve) => (late = resolve));
    const states: string[] = [];
    sdk.on("change", (state) => states.push(state));
    const state = sdk.subscribe();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await state).toBe("undecided");
    late("granted");
    await until(() => states.includes("registered"));
    expect(states).toEqual(["undecided", "registered"]);
  });
});

describe("the console", () => {
  it("has each failure once, with the way to its reason", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    browser.server.instead.set("POST /subscribe", () => problem(403, "origin_not_allowed"));
    await Promise.all([sdk.subscribe(), sdk.subscribe()]);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^Tidings: .+ Tidings\.check\(\) says more\.$/), sdk.lastError]]);
    await sdk.subscribe();
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it("has nothing of what succeeds", async () => {
    const warn = vi.spyOn(console, "warn");
    expect(await sdk.subscribe()).toBe("registered");
    expect(warn).not.toHaveBeenCalled();
  });
});
