import { describe, expect, it, test } from "vitest";
import { FakeBrowser, SITE, visit } from "../fakes/browser.ts";

describe("the five states", () => {
  test.each([
    ["a page without https", { secure: false }],
    ["an iPhone's tab, without Notification", { notification: false }],
    ["a browser without PushManager", { push: false }],
  ])("unsupported: %s", async (_, lacks) => {
    const browser = new FakeBrowser().install(lacks);
    const sdk = await visit();
    expect(await sdk.init()).toBe("unsupported");
    expect(await sdk.state()).toBe("unsupported");
    expect(await sdk.subscribe()).toBe("unsupported");
    expect(sdk.lastError?.code).toBe("unsupported");
    expect(sdk.lastError?.message).toMatch(/Home Screen/);
    expect(await sdk.unsubscribe()).toBe("unsupported");
    expect(await sdk.login("u-1")).toBe("unsupported");
    expect(await sdk.subscription()).toBeNull();
    expect(browser.server.calls).toEqual([]);
  });

  it("is unsupported where the site turned web push off, and keeps what there is", async () => {
    const browser = new FakeBrowser().install();
    expect(await (await visit()).subscribe()).toBe("registered");
    const calls = browser.server.calls.length;
    const served = (self as unknown as { __tidings: { off?: boolean } }).__tidings;
    served.off = true;
    const sdk = await visit();
    expect(await sdk.init()).toBe("unsupported");
    expect(await sdk.subscribe()).toBe("unsupported");
    expect(sdk.lastError?.code).toBe("unsupported");
    expect(browser.server.calls.length).toBe(calls);
    served.off = false;
    expect(await (await visit()).init()).toBe("registered");
  });

  it("turns a device off also where the site turned web push off", async () => {
    const browser = new FakeBrowser().install();
    expect(await (await visit()).subscribe()).toBe("registered");
    const calls = browser.server.calls.length;
    const served = (self as unknown as { __tidings: { off?: boolean } }).__tidings;
    served.off = true;
    expect(await (await visit()).unsubscribe()).toBe("unsupported");
    expect(browser.server.calls.slice(calls).map(({ method }) => method)).toEqual(["DELETE"]);
    served.off = false;
    expect(await (await visit()).init()).toBe("unregistered");
  });

  it("is unsupported where a sandbox throws at the mere look", async () => {
    const browser = new FakeBrowser();
    Object.defineProperty(browser.navigator, "serviceWorker", {
      get: () => {
        throw new DOMException("sandboxed", "SecurityError");
      },
    });
    browser.install();
    expect(await (await visit()).init()).toBe("unsupported");
  });

  it("is undecided before anybody was asked", async () => {
    new FakeBrowser().install();
    expect(await (await visit()).state()).toBe("undecided");
  });

  it("stays undecided when the question is closed, and says so", async () => {
    const browser = new FakeBrowser().install();
    browser.answer = () => "default";
    const sdk = await visit();
    expect(await sdk.subscribe()).toBe("undecided");
    expect(sdk.lastError?.code).toBe("undecided");
    expect(browser.registered).toEqual([]);
  });

  it("is denied when the person refuses, and says where to change it", async () => {
    const browser = new FakeBrowser().install();
    browser.answer = () => "denied";
    const sdk = await visit();
    expect(await sdk.subscribe()).toBe("denied");
    expect(sdk.lastError?.code).toBe("denied");
    expect(sdk.lastError?.message).toMatch(/padlock/);
  });

  it("is registered when browser and server agree", async () => {
    new FakeBrowser().install();
    const sdk = await visit();
    expect(await sdk.subscribe()).toBe("registered");
    expect(sdk.lastError).toBeUndefined();
    expect(await sdk.subscription()).toEqual({ id: "sub_1" });
  });

  it("is unregistered when the browser has dropped the subscription", async () => {
    const browser = new FakeBrowser().install();
    const sdk = await visit();
    await sdk.subscribe();
    browser.registrations.get(`${SITE}/`)!.subscription = null;
    expect(await sdk.state()).toBe("unregistered");
    expect(await sdk.subscription()).toBeNull();
  });

  it("is unregistered when a subscription is there that the server was never told of", async () => {
    const browser = new FakeBrowser().install();
    browser.permission = "granted";
    browser.subscribe(browser.worker(), browser.server.key);
    expect(await (await visit()).state()).toBe("unregistered");
  });

  it("notices when the permission is taken away in the browser's settings", async () => {
    const browser = new FakeBrowser().install();
    const sdk = await visit();
    await sdk.init();
    await sdk.subscribe();
    const seen: string[] = [];
    const denied = new Promise<void>((resolve) => {
      sdk.on("change", (state) => {
        seen.push(state);
        resolve();
      });
    });
    browser.setPermission("denied");
    await denied;
    expect(seen).toEqual(["denied"]);
  });
});

describe("without a server and an App", () => {
  it("never throws and never asks, and lastError says what is missing", async () => {
    const browser = new FakeBrowser().install({ served: false });
    const sdk = await visit();
    expect(await sdk.init()).toBe("undecided");
    expect(await sdk.state()).toBe("undecided");
    expect(sdk.lastError?.code).toBe("not_configured");
    expect(await sdk.subscribe()).toBe("undecided");
    expect(browser.log).toEqual([]);
    browser.permission = "granted";
    expect(await sdk.subscribe()).toBe("unregistered");
    expect(await sdk.unsubscribe()).toBe("unregistered");
    expect(sdk.lastError?.code).toBe("not_configured");
    expect(sdk.lastError?.message).toMatch(/Tidings\.init/);
  });

  it("takes an address that is none for not configured", async () => {
    new FakeBrowser().install({ served: false });
    const sdk = await visit();
    await sdk.init({ server: "https://", app: "app_1" });
    expect(sdk.lastError?.code).toBe("not_configured");
  });
});

describe("lastError", () => {
  it("is live on the global", async () => {
    const browser = new FakeBrowser().install();
    browser.answer = () => "denied";
    await visit();
    await import("../../src/page/global.ts");
    const { Tidings } = globalThis as unknown as { Tidings: Awaited<ReturnType<typeof visit>> };
    expect(Tidings.lastError).toBeUndefined();
    await Tidings.subscribe();
    expect(Tidings.lastError).toBeInstanceOf(Tidings.TidingsError);
  });
});
