import fc from "fast-check";
import { beforeEach, describe, expect, it, test } from "vitest";
import { FakeWorker, payload, SITE } from "../fakes/worker.ts";

let worker: FakeWorker;

beforeEach(async () => {
  worker = await new FakeWorker().install().start();
});

const generic = { title: "www.example", options: { body: "You have a new notification" } };

describe("a push", () => {
  it("is shown as it was written", async () => {
    await worker.push(
      payload(
        { lang: "de", icon: "https://i.example/i.png", data: { order: 17 } },
        { i: "https://i.example/p.jpg", a: [{ id: "yes", title: "Yes" }, { id: "map", title: "Map", url: `${SITE}/map` }] },
      ),
    );
    expect(worker.notices).toMatchObject([
      {
        title: "Spring tide",
        options: {
          body: "Quay road closes",
          tag: "d1",
          lang: "de",
          icon: "https://i.example/i.png",
          image: "https://i.example/p.jpg",
          actions: [
            { action: "yes", title: "Yes" },
            { action: "map", title: "Map" },
          ],
        },
      },
    ]);
    expect(Object.keys(worker.notices[0]!.options)).not.toContain("renotify");
  });

  it("may have a title alone", async () => {
    await worker.push({ notification: { title: "Only this" } });
    expect(worker.notices).toMatchObject([{ title: "Only this", options: { body: "" } }]);
  });

  test.each([
    ["no data", null],
    ["no JSON", { json: () => JSON.parse("hello") as unknown }],
    ["null", { json: () => null }],
    ["a list", { json: () => [1, 2] }],
    ["a number", { json: () => 8030 }],
    ["another vendor's object", { json: () => ({ custom: { i: "x" }, title: "no" }) }],
  ])("of %s is shown with plain words", async (_, data) => {
    await worker.dispatch("push", { data });
    expect(worker.notices).toMatchObject([generic]);
    expect(worker.receipts).toEqual([]);
  });

  it("of anything at all is shown once, with a title", async () => {
    const member = fc.oneof(fc.anything(), fc.string(), fc.constant(undefined));
    const ours = fc.record({ d: member, t: member, i: member, a: fc.oneof(member, fc.array(fc.record({ id: member, title: member, url: member }))) });
    const notification = fc.record(
      { title: member, body: member, navigate: member, tag: member, lang: member, icon: member, app_badge: member, data: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const junk = fc.oneof(fc.anything(), fc.record({ notification: fc.oneof(member, notification), tidings: fc.oneof(member, ours) }));
    await fc.assert(
      fc.asyncProperty(junk, async (anything) => {
        const before = worker.notices.length;
        await worker.push(anything);
        expect(worker.notices.length).toBe(before + 1);
        expect(worker.notices.at(-1)!.title).not.toBe("");
      }),
      { numRuns: 300 },
    );
  });

  it("is shown with words alone where the browser throws at an option", async () => {
    worker.refuses = (options) => "actions" in options || "image" in options;
    await worker.push(payload({}, { i: "https://i.example/p.jpg", a: [{ id: "yes", title: "Yes" }] }));
    expect(worker.notices).toMatchObject([{ title: "Spring tide", options: { body: "Quay road closes", tag: "d1" } }]);
    await worker.click(worker.notices[0]!);
    expect(worker.opened).toEqual([`${SITE}/tide`]);
  });

  it("is shown before anything is asked of the network", async () => {
    await worker.push(payload());
    expect(worker.log).toEqual(["shown", "fetch"]);
  });

  it("is shown although badge, pages and store all fail", async () => {
    Object.assign(navigator, { setAppBadge: () => Promise.reject(new TypeError("no")) });
    worker.page(`${SITE}/`).postMessage = () => {
      throw new DOMException("gone", "DataCloneError");
    };
    Object.assign(globalThis, { indexedDB: undefined });
    await worker.push(payload({ app_badge: 3 }));
    expect(worker.notices).toHaveLength(1);
    expect(worker.receipts).toHaveLength(1);
  });

  it("that cannot be shown at all is not reported as shown", async () => {
    worker.refuses = () => true;
    await expect(worker.push(payload())).rejects.toThrow(TypeError);
    expect(worker.receipts).toEqual([]);
  });

  it("that comes a second time replaces the first and is counted once", async () => {
    await worker.push(payload());
    await worker.start();
    await worker.push(payload());
    expect(worker.notices.map(({ options }) => options["tag"])).toEqual(["d1", "d1"]);
    expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "shown" }]);
  });

  it("is told to the open pages, without the receipt's token", async () => {
    const page = worker.page(`${SITE}/news`);
    await worker.push(payload({ data: { order: 17 } }));
    expect(page.heard).toEqual([
      { tidings: "received", detail: { delivery: "d1", title: "Spring tide", url: `${SITE}/tide`, data: { order: 17 } } },
    ]);
  });
});

describe("the badge", () => {
  test.each([
    [3, [3]],
    ["3", [3]],
    [0, ["cleared"]],
    [undefined, []],
    [null, []],
    [true, []],
    ["", []],
    [-1, []],
    [1.5, []],
    [[], []],
    [1e308 * 10, []],
  ])("of %o", async (app_badge, badges) => {
    await worker.push(payload({ app_badge }));
    expect(worker.badges).toEqual(badges);
  });

  it("is left out where the browser has none", async () => {
    worker = await new FakeWorker().install({ badge: false }).start();
    await worker.push(payload({ app_badge: 3 }));
    expect(worker.notices).toHaveLength(1);
  });
});

describe("what it listens to", () => {
  it("never includes fetch", () => {
    expect([...worker.listeners.keys()].sort()).toEqual([
      "activate",
      "install",
      "notificationclick",
      "notificationclose",
      "push",
      "pushsubscriptionchange",
    ]);
  });

  it("takes over at once as the site's whole worker", async () => {
    worker.listeners.get("install")!({});
    await worker.dispatch("activate");
    expect(worker.log).toEqual(["skipWaiting", "claim"]);
  });

  it("leaves that to a worker that asks for it", async () => {
    worker = await new FakeWorker().install({ keepWaiting: true }).start();
    expect(worker.listeners.has("install")).toBe(false);
    expect(worker.listeners.has("activate")).toBe(false);
  });
});
