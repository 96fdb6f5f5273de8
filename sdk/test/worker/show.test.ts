import fc from "fast-check";
import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { FakeWorker, payload, SAFARI, SITE } from "../fakes/worker.ts";

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
    expect(worker.notices[0]!.options["renotify"]).toBeFalsy();
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
        // Chance makes the same delivery id twice; what is put away is shown again.
        for (const one of worker.notices) one.closed = true;
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

  it("is shown with its title alone where the browser throws at anything", async () => {
    worker.refuses = (options) => Object.keys(options).length > 0;
    await worker.push(payload());
    expect(worker.notices).toMatchObject([{ title: "Spring tide", options: {} }]);
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

  it("ends before the network is asked: to Chromium, what is put away until then was never shown", async () => {
    const page = worker.page(`${SITE}/`);
    await worker.dispatch("push", { data: { json: () => payload({ app_badge: 3 }) } });
    expect([worker.notices.length, worker.badges, page.heard.length]).toEqual([1, [3], 1]);
    expect(worker.log).toEqual(["shown"]);
    await worker.pass(4_000);
    expect(worker.log).toEqual(["shown", "fetch"]);
  });

  it("is shown although the one before it could not be", async () => {
    let refusals = 3;
    worker.refuses = () => refusals-- > 0;
    const first = worker.dispatch("push", { data: { json: () => payload() } });
    const second = worker.dispatch("push", { data: { json: () => payload({}, { d: "d2" }) } });
    await expect(first).rejects.toThrow(TypeError);
    await second;
    expect(worker.notices).toMatchObject([{ data: { tidings: { delivery: "d2" } } }]);
  });

  it("waits for no other, whose image never comes, nor for ever for the older one in its place", async () => {
    const { registration } = worker as unknown as { registration: ServiceWorkerRegistration };
    const { showNotification } = registration;
    registration.showNotification = (title, options) =>
      title === "Stuck" ? new Promise(() => undefined) : showNotification.call(registration, title, options);
    const dispatch = (notification: object, d: string): Promise<void> =>
      worker.dispatch("push", { data: { json: () => payload(notification, { d }) } });
    void dispatch({ title: "Stuck", tag: "score" }, "d1");
    await dispatch({ title: "Another", tag: "d2" }, "d2");
    expect(worker.notices).toMatchObject([{ title: "Another" }]);
    const newer = dispatch({ title: "Newer", tag: "score" }, "d3");
    await worker.pass(5_000);
    await newer;
    expect(worker.notices).toMatchObject([{ title: "Another" }, { title: "Newer" }]);
  });

  it("with the place of an older one is news, and one without a tag never says so", async () => {
    await worker.push(payload({ tag: "score" }));
    expect(worker.notices[0]!.options["renotify"]).toBe(true);
    await worker.push({ notification: { title: "No tag", renotify: true } });
    expect(worker.notices[1]!.options["renotify"]).toBeFalsy();
  });

  it("is told to the open pages, with the App and without the receipt's token", async () => {
    const page = worker.page(`${SITE}/news`, { controlled: false });
    await worker.push(payload({ data: { order: 17 } }));
    expect(page.heard).toEqual([
      {
        tidings: "received",
        server: "https://push.example",
        app: "app_1",
        scope: `${SITE}/`,
        detail: { delivery: "d1", title: "Spring tide", url: `${SITE}/tide`, data: { order: 17 } },
      },
    ]);
  });
});

describe("the same delivery a second time", () => {
  const open = (): unknown[] => worker.notices.filter(({ closed }) => !closed);
  const receipt = { delivery: "d1", token: "token", event: "shown" };

  it("shows nothing new while the first is open, also in a worker that was started anew", async () => {
    const page = worker.page(`${SITE}/`);
    await worker.push(payload());
    await worker.start();
    await worker.push(payload());
    expect(worker.notices).toHaveLength(1);
    expect(worker.receipts).toEqual([receipt]);
    expect(page.heard).toHaveLength(1);
  });

  it("is found although both come at once", async () => {
    await Promise.all([1, 2, 3].map(() => worker.dispatch("push", { data: { json: () => payload() } })));
    await worker.pass(10_000);
    expect(worker.notices).toHaveLength(1);
    expect(worker.receipts).toEqual([receipt]);
  });

  it("is shown without a sound once the person has put the first away, and leaves by itself after the event", async () => {
    await worker.push(payload({ tag: "score" }));
    worker.notices[0]!.closed = true;
    await worker.dispatch("push", { data: { json: () => payload({ tag: "score" }) } });
    expect(worker.notices[1]).toMatchObject({ closed: false, options: { silent: true, renotify: false, tag: "score" } });
    worker.server.calls = [];
    await worker.pass(2_000);
    expect(open()).toEqual([]);
    // Firefox says that it was closed; nobody did.
    await worker.dispatch("notificationclose", { notification: worker.notices[1] });
    expect(worker.receipts).toEqual([]);
  });

  it("stays away from a newer message that took its place meanwhile", async () => {
    await worker.push(payload({ tag: "score" }));
    worker.notices[0]!.closed = true;
    await worker.dispatch("push", { data: { json: () => payload({ tag: "score" }) } });
    await worker.dispatch("push", { data: { json: () => payload({ tag: "score" }, { d: "d2" }) } });
    await worker.pass(10_000);
    expect(open()).toEqual([worker.notices[2]]);
  });

  it("is shown in Safari at any rate, in the place of the first and without a sound", async () => {
    worker = await new FakeWorker().install({ userAgent: SAFARI }).start();
    await worker.push(payload());
    await worker.push(payload());
    expect(worker.notices).toHaveLength(2);
    expect(open()).toMatchObject([{ options: { silent: true } }]);
    await worker.pass(10_000);
    expect(open()).toHaveLength(1);
  });

  it("is shown when the browser cannot say what is open", async () => {
    await worker.push(payload());
    Object.assign(worker.registration, { getNotifications: () => Promise.reject(new TypeError("no")) });
    await worker.dispatch("push", { data: { json: () => payload() } });
    expect(worker.notices).toMatchObject([{}, { options: { silent: true } }]);
  });

  it("is told apart from another, and from pushes without any", async () => {
    for (const one of [payload(), payload({ tag: "d2" }, { d: "d2" }), "junk", "junk"]) await worker.push(one);
    expect(worker.notices).toHaveLength(4);
    expect(worker.notices.some(({ options }) => options["silent"])).toBe(false);
  });
});

describe("the badge", () => {
  test.each([
    [3, [3]],
    ["3", [3]],
    [0, [0]],
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
      "message",
      "notificationclick",
      "notificationclose",
      "push",
      "pushsubscriptionchange",
      "sync",
    ]);
  });

  it("is nothing when it is imported a second time", async () => {
    worker.listeners.clear();
    vi.resetModules();
    await import("../../src/worker/index.ts");
    expect([...worker.listeners]).toEqual([]);
  });
});

describe("when it takes over", () => {
  type Case = [string, { script?: string; active?: string; flag?: boolean }, string[]];

  test.each<Case>([
    ["at once, from our own file of before", { active: "/tidings-sw.js" }, ["skipWaiting", "claim"]],
    ["at once, as a module", { script: "/tidings-sw.mjs", active: "/tidings-sw.mjs" }, ["skipWaiting", "claim"]],
    ["at once, on our own server", { script: "/v1/app_1/push/service-worker.js", active: "/v1/app_1/push/service-worker.js" }, ["skipWaiting", "claim"]],
    ["at once, from another vendor's", { script: "/push.js", active: "/OneSignalSDKWorker.js" }, ["skipWaiting", "claim"]],
    ["when the site's own worker would", { script: "/sw.js", active: "/sw.js" }, []],
    ["as any worker does that is the first", { script: "/sw.js" }, []],
    ["when a worker would that says so", { script: "/sw.js", active: "/old.js", flag: true }, []],
    ["at once, if a worker says so", { script: "/sw.js", active: "/sw.js", flag: false }, ["skipWaiting", "claim"]],
  ])("%s", async (_, { flag, ...where }, log) => {
    worker = await new FakeWorker().install(where).start();
    // Said after the import, as in an ES module, where imports come first.
    if (flag !== undefined) Object.assign(self, { __tidingsKeepWaiting: flag });
    await worker.dispatch("install");
    await worker.dispatch("activate");
    expect(worker.log).toEqual(log);
  });
});

describe("hello", () => {
  const hello = (data: unknown, ports: object[]): Promise<void> => worker.dispatch("message", { data, ports });
  const answers: unknown[] = [];
  const port = { postMessage: (answer: unknown) => void answers.push(answer) };

  beforeEach(() => void (answers.length = 0));

  it("is answered with who we are", async () => {
    await hello({ tidings: "hello" }, [port]);
    expect(answers).toEqual([
      { tidings: "hello", version: "0.0.0-test", server: "https://push.example", app: "app_1", scope: `${SITE}/` },
    ]);
  });

  it("may come without a port, and other messages are none of our business", async () => {
    await hello({ tidings: "hello" }, []);
    for (const data of [null, undefined, "hello", { type: "SKIP_WAITING" }, { tidings: "other" }]) await hello(data, [port]);
    expect(answers).toEqual([]);
  });
});
