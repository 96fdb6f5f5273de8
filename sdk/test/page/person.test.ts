import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { FakeBrowser, SITE, visit, type Sdk } from "../fakes/browser.ts";
import { problem } from "../fakes/server.ts";

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

describe("whose device it is", () => {
  const users = (): (string | undefined)[] => [...browser.server.devices.values()].map(({ user }) => user);
  const told = (): unknown => browser.server.to("/subscribe").at(-1)?.body;

  it("is told to the server at login and logout, with the device's secret", async () => {
    const sdk = await comesBack();
    expect(await sdk.login("u-1", "token")).toBe("registered");
    expect(told()).toMatchObject({ user: { id: "u-1", token: "token" }, id: "sub_1", secret: "secret-1" });
    expect(await sdk.logout()).toBe("registered");
    expect(told()).toMatchObject({ secret: "secret-1" });
    expect(told()).not.toHaveProperty("user");
    expect(users()).toEqual([undefined]);
  });

  it("stays the same on pages that name nobody", async () => {
    await (await comesBack()).login("u-1");
    await comesBack();
    expect(called()).toEqual([]);
    vi.setSystemTime(Date.now() + A_DAY);
    await comesBack();
    expect(told()).toMatchObject({ user: { id: "u-1" } });
    expect(users()).toEqual(["u-1"]);
  });

  it("is told once, not on every page that names the same person", async () => {
    await comesBack({ user: { id: "u-1" } });
    expect(called()).toEqual(whole);
    await comesBack({ user: { id: "u-1", token: "another each time" } });
    expect(called()).toEqual([]);
  });

  it("changes with init({ user: null })", async () => {
    await (await comesBack()).login("u-1");
    await comesBack({ user: null });
    expect(users()).toEqual([undefined]);
  });

  it("takes a number for an id, as databases have them", async () => {
    await (await comesBack()).login(42 as unknown as string);
    expect(told()).toMatchObject({ user: { id: "42" } });
    await comesBack();
    expect(called()).toEqual([]);
  });

  test.each([undefined, null, ""])("refuses %o for an id, which would be everybody's", async (id) => {
    const sdk = await comesBack();
    await expect(sdk.login(id as string)).rejects.toMatchObject({ code: "invalid_user" });
    await sdk.init({ user: { id: id as string } });
    expect(sdk.lastError?.code).toBe("invalid_user");
    expect(called()).toEqual([]);
  });

  it("rejects when the server cannot be told, and the next visit tells it", async () => {
    const sdk = await comesBack();
    await sdk.login("u-1");
    browser.server.down = true;
    await expect(sdk.logout()).rejects.toMatchObject({ code: "server_unreachable" });
    expect(users()).toEqual(["u-1"]);
    browser.server.down = false;
    await comesBack();
    expect(users()).toEqual([undefined]);
  });

  it("is nobody's after a logout that the server was not told, even if the device's secret was lost", async () => {
    const sdk = await comesBack({ user: { id: "u-1" } });
    browser.server.devices.get("https://push.service/1")!.secret = "changed";
    browser.server.down = true;
    await expect(sdk.logout()).rejects.toMatchObject({ code: "server_unreachable" });
    browser.server.down = false;
    await comesBack();
    // What is sent to the first person goes to an address that is dead.
    expect(browser.subscription?.endpoint).toBe("https://push.service/2");
    expect(users()).toEqual(["u-1", undefined]);
  });

  it("becomes nobody's when the server wants the id signed and we only remember it", async () => {
    await (await comesBack()).login("u-1");
    browser.registrations.get(`${SITE}/`)!.subscription = null;
    const { fetch } = browser.server;
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) =>
      String(init.body).includes('"user"') ? problem(403, "identity_invalid") : fetch(url, init),
    );
    expect(await (await comesBack()).state()).toBe("registered");
    expect(told()).not.toHaveProperty("user");
  });

  it("is a refusal when the page itself named the person with a bad token", async () => {
    browser.server.instead.set("POST /subscribe", () => problem(403, "identity_invalid"));
    const sdk = await comesBack();
    await expect(sdk.login("u-1", "bad")).rejects.toMatchObject({ code: "identity_invalid" });
  });

  it("is nobody's after logout even if the device's secret was lost", async () => {
    await (await comesBack()).login("u-1");
    browser.server.devices.get("https://push.service/1")!.secret = "changed";
    await (await comesBack()).logout();
    expect(browser.subscription?.endpoint).toBe("https://push.service/2");
    expect(users()).toEqual(["u-1", undefined]);
  });
});

describe("the device's secret", () => {
  const ended = (): unknown[] => browser.server.to("/subscribe", "DELETE").map(({ body }) => body["secret"]);

  it("is kept when two tabs register at once, and one of them is told none", async () => {
    browser = new FakeBrowser().install();
    const [one, two] = [await visit(), await visit()];
    expect(await Promise.all([one.subscribe(), two.subscribe()])).toEqual(["registered", "registered"]);
    expect(browser.server.to("/subscribe")).toHaveLength(2);
    await (await visit()).unsubscribe();
    expect(ended()).toEqual(["secret-1"]);
  });

  it.each([undefined, "u-1"])("comes anew, with a new address, when the server no longer takes it (%o)", async (id) => {
    await comesBack({ user: id ? { id } : null });
    browser.server.devices.get("https://push.service/1")!.secret = "changed";
    vi.setSystemTime(Date.now() + A_DAY);
    const sdk = await comesBack();
    expect(await sdk.state()).toBe("registered");
    expect(browser.server.devices.get("https://push.service/2")).toMatchObject({ user: id });
    expect(await sdk.unsubscribe()).toBe("unregistered");
    expect(ended()).toEqual(["secret-2"]);
    expect(sdk.lastError).toBeUndefined();
  });

  it("comes with the next day's visit when the answer that told it was lost", async () => {
    browser = new FakeBrowser().install();
    browser.server.devices.set("https://push.service/1", { id: "sub_0", secret: "never told", user: undefined });
    await (await visit()).subscribe();
    await comesBack();
    expect(browser.subscription?.endpoint).toBe("https://push.service/1");
    vi.setSystemTime(Date.now() + A_DAY);
    expect(await (await comesBack()).state()).toBe("registered");
    expect(browser.subscription?.endpoint).toBe("https://push.service/2");
    await comesBack();
    expect(called()).toEqual([]);
  });
});
