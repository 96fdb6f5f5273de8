import { beforeEach, describe, expect, it } from "vitest";
import { FakeBrowser, visit, type Sdk } from "../fakes/browser.ts";
import { json, problem } from "../fakes/server.ts";

let browser: FakeBrowser;
let sdk: Sdk;
const carried: Record<string, string> = {};

beforeEach(async () => {
  browser = new FakeBrowser().install();
  for (const name of Object.keys(carried)) delete carried[name];
  browser.server.instead.set("PUT /tags", () => {
    for (const [name, value] of Object.entries(browser.server.to("/tags", "PUT").at(-1)!.body["tags"] as object)) {
      if (value === null) delete carried[name];
      else carried[name] = value;
    }
    return json({ tags: carried });
  });
  browser.server.instead.set("POST /events", () => json({ id: "evt_1" }, 202));
  sdk = await visit();
});

const sentTags = (): unknown[] => browser.server.to("/tags", "PUT").map(({ body }) => body);
const sentEvents = (): Record<string, unknown>[] => browser.server.to("/events").map(({ body }) => body);

describe("tags.set", () => {
  it("sends what changes, as text, and gives what the device has", async () => {
    await sdk.subscribe();
    expect(await sdk.tags.set({ plan: "pro", age: 7, old: null })).toEqual({ plan: "pro", age: "7" });
    expect(sentTags()).toEqual([{ id: "sub_1", secret: "secret-1", tags: { plan: "pro", age: "7", old: null } }]);
  });

  it("waits for the registration, also into a later visit, as one", async () => {
    expect(await sdk.tags.set({ plan: "free", town: "Kiel" })).toBeNull();
    const later = await visit();
    expect(await later.tags.set({ plan: "pro" })).toBeNull();
    expect(sentTags()).toEqual([]);
    await later.subscribe();
    expect(sentTags()).toMatchObject([{ tags: { plan: "pro", town: "Kiel" } }]);
    await later.tags.set({ b: "2" });
    expect(sentTags()).toHaveLength(2);
  });

  it("rejects when the server cannot be told, and tells it on the next visit", async () => {
    await sdk.subscribe();
    browser.server.down = true;
    await expect(sdk.tags.set({ plan: "pro" })).rejects.toMatchObject({ code: "server_unreachable" });
    browser.server.down = false;
    await (await visit()).init();
    expect(carried).toEqual({ plan: "pro" });
  });

  it("rejects with the server's reason, and does not try again", async () => {
    await sdk.subscribe();
    browser.server.instead.set("PUT /tags", () => problem(422, "tags_invalid"));
    await expect(sdk.tags.set({ "": "x" })).rejects.toMatchObject({ code: "tags_invalid" });
    browser.server.calls = [];
    await (await visit()).init();
    expect(sentTags()).toEqual([]);
  });

  it("tries again what the server was too busy for", async () => {
    await sdk.subscribe();
    browser.server.instead.set("PUT /tags", () => problem(429, "rate_limited"));
    await expect(sdk.tags.set({ a: "1" })).rejects.toMatchObject({ code: "rate_limited" });
    browser.server.instead.set("PUT /tags", () => json({ tags: {} }));
    browser.server.calls = [];
    await (await visit()).init();
    expect(sentTags()).toHaveLength(1);
  });

  it("does not fail a registration", async () => {
    await sdk.tags.set({ "": "x" });
    browser.server.instead.set("PUT /tags", () => problem(422, "tags_invalid"));
    expect(await sdk.subscribe()).toBe("registered");
    expect(sdk.lastError).toBeUndefined();
  });

  it("is of one App alone", async () => {
    await sdk.tags.set({ plan: "pro" });
    const other = await visit();
    await other.init({ app: "app_2", serviceWorker: { path: "/b/sw.js" } });
    await other.subscribe();
    expect(sentTags()).toEqual([]);
  });
});

describe("track", () => {
  it("sends the event with an id of its own", async () => {
    await sdk.subscribe();
    expect(await sdk.track("read", { article: 17 })).toEqual({ id: "evt_1" });
    await sdk.track("read");
    const [first, second] = sentEvents();
    expect(first).toMatchObject({ id: "sub_1", secret: "secret-1", name: "read", properties: { article: 17 } });
    expect(second?.["properties"]).toEqual({});
    expect(first?.["event"]).not.toBe(second?.["event"]);
  });

  it("tells nobody of who is not registered, then or later", async () => {
    expect(await sdk.track("read")).toBeNull();
    await sdk.subscribe();
    expect(sentEvents()).toEqual([]);
  });

  it("is sent again with the same id when the answer was lost", async () => {
    await sdk.subscribe();
    browser.server.instead.set("POST /events", () => Promise.reject(new TypeError("lost")));
    await expect(sdk.track("read")).rejects.toMatchObject({ code: "server_unreachable" });
    browser.server.instead.set("POST /events", () => json({ id: "evt_1" }, 202));
    await (await visit()).init();
    const [first, second] = sentEvents();
    expect([second?.["event"], sentEvents().length]).toEqual([first?.["event"], 2]);
    await (await visit()).init();
    expect(sentEvents()).toHaveLength(2);
  });

  it("is told of nobody who signs in after the one who did it, when it could not be told before", async () => {
    await sdk.init({ user: { id: "u-1" } });
    await sdk.subscribe();
    browser.server.down = true;
    await expect(sdk.track("read")).rejects.toMatchObject({ code: "server_unreachable" });
    await expect(sdk.logout()).rejects.toMatchObject({ code: "server_unreachable" });
    await expect(sdk.track("looked")).rejects.toMatchObject({ code: "server_unreachable" });
    browser.server.down = false;
    browser.server.calls = [];
    await (await visit()).init({ user: { id: "u-2" } });
    expect(sentEvents()).toMatchObject([{ name: "looked" }]);
    browser.server.calls = [];
    await (await visit()).init();
    expect(sentEvents()).toEqual([]);
  });

  it("waits for a registration that is under way", async () => {
    const state = sdk.subscribe();
    await Promise.resolve();
    browser.permission = "granted";
    const [, event] = await Promise.all([state, state.then(() => sdk.track("read"))]);
    expect(event).toEqual({ id: "evt_1" });
  });
});

it("is nothing where there is no push", async () => {
  browser = new FakeBrowser().install({ push: false });
  const here = await visit();
  expect([await here.tags.set({ a: "1" }), await here.track("read")]).toEqual([null, null]);
});

it.each([{ b: 1 }, [1], () => 1])("refuses a tag that is no plain value: %j", async (value) => {
  browser.permission = "granted";
  await sdk.subscribe();
  await expect(sdk.tags.set({ a: value as unknown as string })).rejects.toMatchObject({ code: "tag_invalid", message: expect.stringContaining("tag a ") });
  expect(browser.server.to("/tags", "PUT")).toEqual([]);
});
