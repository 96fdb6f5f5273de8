import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { FakeBrowser, FakeScript, SITE, until, visit, type FakeRegistration, type Sdk } from "../fakes/browser.ts";
import { keyOf } from "../fakes/server.ts";

const SCOPE = `${SITE}/`;

let browser: FakeBrowser;
let sdk: Sdk;

beforeEach(async () => {
  browser = new FakeBrowser().install();
  browser.permission = "granted";
  sdk = await visit();
});

const script = (): string | undefined => browser.registrations.get(SCOPE)?.active.scriptURL;

describe("a worker of another push service at our scope", () => {
  test.each(["OneSignalSDKWorker.js", "firebase-messaging-sw.js", "cleverpush-worker.js", "webpushr-sw.js", "push-worker.js"])(
    "is replaced by its name: %s",
    async (name) => {
      browser.worker(SCOPE, `${SITE}/${name}`);
      expect(await sdk.subscribe()).toBe("registered");
      expect(script()).toBe(`${SITE}/tidings-sw.js`);
      expect(browser.log).not.toContain("ask");
    },
  );

  it("is replaced when its subscription has a key that never was ours", async () => {
    const theirs = browser.subscribe(browser.worker(SCOPE, `${SITE}/sw.js`), keyOf("v"));
    expect(await sdk.subscribe()).toBe("registered");
    expect([script(), theirs.alive, browser.subscription?.key]).toEqual([`${SITE}/tidings-sw.js`, false, keyOf("k")]);
  });

  it("is no worker of ours while ours is only coming", async () => {
    const registration = browser.worker(SCOPE, `${SITE}/OneSignalSDKWorker.js`);
    const theirs = registration.active;
    vi.spyOn(browser.navigator["serviceWorker"] as { register: () => unknown }, "register").mockImplementation(() => {
      registration.active = theirs;
      registration.installing = new FakeScript(`${SITE}/tidings-sw.js`, true);
      registration.installing.state = "installing";
      return Promise.resolve(registration);
    });
    let ended = false;
    const state = sdk.subscribe().finally(() => (ended = true));
    await until(() => registration.installing?.listens);
    await new Promise((resolve) => setTimeout(resolve));
    expect([ended, browser.log]).toEqual([false, []]);
    registration.active = registration.installing!;
    registration.installing?.become("activated");
    expect(await state).toBe("registered");
  });
});

describe("the site's own worker at our scope", () => {
  it("is never replaced: the error has the line that mends it", async () => {
    browser.worker(SCOPE, `${SITE}/pwa.js`);
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(script()).toBe(`${SITE}/pwa.js`);
    expect(browser.registered).toEqual([]);
    expect(sdk.lastError?.code).toBe("worker_conflict");
    expect(sdk.lastError?.message).toContain('importScripts("https://push.example/v1/app_1/push/service-worker.js");');
    expect(sdk.lastError?.message).toContain('path: "/push/tidings-sw.js"');
  });

  it("is not replaced either when it came after ours, and the key was rotated", async () => {
    await sdk.subscribe();
    browser.worker(SCOPE, `${SITE}/pwa.js`);
    browser.server.key = keyOf("n");
    const again = await visit();
    expect(await again.subscribe()).toBe("unregistered");
    expect([again.lastError?.code, script()]).toEqual(["worker_conflict", `${SITE}/pwa.js`]);
  });

  it("is used as it is when ours is in it", async () => {
    browser.worker(SCOPE, `${SITE}/pwa.js`).active.hasOurs = true;
    expect(await sdk.subscribe()).toBe("registered");
    expect([script(), browser.registered]).toEqual([`${SITE}/pwa.js`, []]);
    browser.server.calls = [];
    const again = await visit();
    await again.init();
    expect(await again.state()).toBe("registered");
    expect(browser.server.calls).toEqual([]);
    expect(await again.unsubscribe()).toBe("unregistered");
    expect(browser.subscription).toBeNull();
  });

  it("is given three seconds to answer", async () => {
    const { active } = browser.worker(SCOPE, `${SITE}/pwa.js`);
    active.silent = true;
    const asked = vi.spyOn(active, "postMessage");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const state = sdk.subscribe();
      let ended = false;
      void state.then(() => (ended = true));
      await until(() => asked.mock.calls.length);
      await vi.advanceTimersByTimeAsync(2_999);
      expect(ended).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect(await state).toBe("unregistered");
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a file at our worker's address that ours is not in", () => {
  const empty = (): void => {
    const { register } = browser.navigator["serviceWorker"] as { register: (...told: unknown[]) => Promise<FakeRegistration> };
    vi.spyOn(browser.navigator["serviceWorker"] as { register: typeof register }, "register").mockImplementation(async (...told) => {
      const made = await register(...told);
      made.active.hasOurs = false;
      return made;
    });
  };

  it("fails, and says what to put into it", async () => {
    empty();
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("worker_conflict");
    expect(sdk.lastError?.message).toContain("/tidings-sw.js");
    expect(sdk.lastError?.message).toContain('importScripts("https://push.example/v1/app_1/push/service-worker.js");');
    expect([browser.subscription, browser.server.to("/subscribe")]).toEqual([null, []]);
    vi.restoreAllMocks();
    expect(await sdk.subscribe()).toBe("registered");
  });

  it("is no matter while the one that takes over next has ours in it", async () => {
    empty();
    browser.worker().waiting = new FakeScript(`${SITE}/tidings-sw.js`, true);
    expect(await sdk.subscribe()).toBe("registered");
  });

  it("is looked for once: a worker that has answered may be busy later", async () => {
    expect(await sdk.subscribe()).toBe("registered");
    browser.registrations.get(SCOPE)!.active.silent = true;
    expect(await (await visit()).subscribe()).toBe("registered");
  });
});

it("gives a page that requires Trusted Types a policy's URL", async () => {
  const createPolicy = vi.fn((_: string, rules: { createScriptURL(url: string): string }) => ({
    createScriptURL: (url: string) => `${rules.createScriptURL(url)}#trusted`,
  }));
  Object.assign(window, { trustedTypes: { createPolicy } });
  vi.stubGlobal("trustedTypes", { createPolicy });
  await sdk.subscribe();
  expect(browser.registered[0]?.url).toBe(`${SITE}/tidings-sw.js#trusted`);
  expect(createPolicy).toHaveBeenCalledWith("tidings", expect.anything());
});

it("lets a worker that has receipts waiting send them, and wakes none otherwise", async () => {
  await sdk.subscribe();
  const heard = vi.spyOn(browser.registrations.get(SCOPE)!.active, "postMessage");
  await (await visit()).init();
  expect(heard).not.toHaveBeenCalled();
  const { addReceipt } = await import("../../src/shared/store.ts");
  await addReceipt(SCOPE, { delivery: "d1", token: "t", event: "shown" });
  await (await visit()).init();
  expect(heard).toHaveBeenCalledWith({ tidings: "hello" }, [expect.anything()]);
});
