import { describe, expect, it, test } from "vitest";
import { FakeBrowser, SITE, visit } from "../fakes/browser.ts";
import { APP, SERVER } from "../fakes/server.ts";

async function registeredAs(options: object, installed = {}): Promise<unknown> {
  const browser = new FakeBrowser().install(installed);
  const sdk = await visit();
  await sdk.init(options);
  await sdk.subscribe();
  return browser.registered[0] && { url: browser.registered[0].url, scope: browser.registered[0].options.scope };
}

describe("the worker", () => {
  test.each([
    ["a site", {}, {}, "/tidings-sw.js", "/"],
    ["a file in a folder", { path: "/push/tidings-sw.js" }, {}, "/push/tidings-sw.js", "/push/"],
    ["a path beside the page", { path: "sw.js" }, {}, "/news/sw.js", "/news/"],
    ["a scope of its own", { path: "/sw.js", scope: "/push/" }, {}, "/sw.js", "/push/"],
  ])("of %s", async (_, serviceWorker, installed, url, scope) => {
    expect(await registeredAs({ serviceWorker }, installed)).toEqual({ url: SITE + url, scope: SITE + scope });
  });

  it("may be a module", async () => {
    const browser = new FakeBrowser().install();
    const sdk = await visit();
    await sdk.init({ serviceWorker: { path: "/sw.mjs", type: "module" } });
    await sdk.subscribe();
    expect(browser.registered[0]?.options).toMatchObject({ type: "module", updateViaCache: "none" });
  });

  it("of the server's own pages needs no file", async () => {
    expect(await registeredAs({}, { href: `${SERVER}/settings` })).toEqual({
      url: `${SERVER}/push/service-worker.js`,
      scope: `${SERVER}/`,
    });
  });
});

describe("server and App", () => {
  it("are known from where the script came from, also when they are given as undefined", async () => {
    const browser = new FakeBrowser().install();
    const sdk = await visit();
    await sdk.init({ server: undefined, app: undefined });
    expect(await sdk.subscribe()).toBe("registered");
    expect(browser.server.to("/vapid-key", "GET")).toHaveLength(1);
  });

  it("can be given instead, with a slash too many", async () => {
    const browser = new FakeBrowser().install({ served: false });
    const sdk = await visit();
    await sdk.init({ server: `${SERVER}/`, app: APP });
    expect(await sdk.subscribe()).toBe("registered");
    expect(browser.server.to("/subscribe")).toHaveLength(1);
  });

  it("stay as they were when init is called again for something else", async () => {
    new FakeBrowser().install({ served: false });
    const sdk = await visit();
    await sdk.init({ server: SERVER, app: APP });
    await sdk.init({ user: null });
    expect(await sdk.subscribe()).toBe("registered");
  });
});
