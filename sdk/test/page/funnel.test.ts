import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBrowser, visit, type Sdk } from "../fakes/browser.ts";

let browser: FakeBrowser;
let sdk: Sdk;

beforeEach(async () => {
  browser = new FakeBrowser().install();
  sdk = await visit();
});

const from = (referrer: string): unknown => vi.stubGlobal("document", { referrer });

describe("what is counted on the way to a subscription", () => {
  it("is a visit of somebody who may be asked, once: the next pages are come to from the site", async () => {
    await sdk.init();
    expect(browser.server.counted).toEqual([]);
    from("https://search.example/");
    await (await visit()).init();
    from("");
    await (await visit()).init();
    expect(browser.server.counted).toEqual(["seen", "seen"]);
  });

  it("is no visit of somebody who has answered, or cannot", async () => {
    from("");
    for (const permission of ["granted", "denied"] as const) {
      browser.permission = permission;
      await (await visit()).init();
    }
    expect(browser.server.counted).toEqual([]);
  });

  it("is no visit of a page that is not set up", async () => {
    new FakeBrowser().install({ served: false });
    from("");
    await (await visit()).init();
    expect(browser.server.counted).toEqual([]);
  });

  it("is the browser's question and its answer", async () => {
    browser.answer = () => "granted";
    await sdk.subscribe();
    expect(browser.server.counted).toEqual(["asked", "granted"]);
    await sdk.subscribe();
    expect(browser.server.counted).toEqual(["asked", "granted"]);
  });

  it("is also that nobody answered", async () => {
    browser.answer = () => "default";
    await sdk.subscribe();
    expect(browser.server.counted).toEqual(["asked", "default"]);
  });

  it("keeps nobody from subscribing when it is lost", async () => {
    const fetched = browser.server.fetch;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) =>
      url.includes("/funnel/") ? Promise.reject(new TypeError("Failed to fetch")) : fetched(url, init),
    );
    browser.answer = () => "granted";
    expect(await sdk.subscribe()).toBe("registered");
  });
});
