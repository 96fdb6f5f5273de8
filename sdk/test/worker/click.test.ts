import fc from "fast-check";
import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { safeUrl } from "../../src/worker/url.ts";
import { FakeWorker, payload, SITE, type Notice } from "../fakes/worker.ts";

let worker: FakeWorker;

const buttons = [
  { id: "yes", title: "Yes" },
  { id: "map", title: "Map", url: `${SITE}/map` },
  { id: "pin-moz", title: "Pin" },
  { id: "bad", title: "Bad", url: "javascript:alert(1)" },
];

async function shown(notification = {}, tidings: object = { a: buttons }): Promise<Notice> {
  await worker.push(payload(notification, tidings));
  worker.server.calls = [];
  worker.log.length = 0;
  return worker.notices.at(-1)!;
}

beforeEach(async () => {
  worker = await new FakeWorker().install().start();
});

describe("where a click leads", () => {
  const location = new URL(`${SITE}/tidings-sw.js`);

  test.each([
    ["https://other.example/a?b#c", "https://other.example/a?b#c"],
    [`${SITE}/tide`, `${SITE}/tide`],
    ["/tide", `${SITE}/tide`],
    ["tide?x=1", `${SITE}/tide?x=1`],
    ["//other.example/a", "https://other.example/a"],
    ["  https://other.example/a  ", "https://other.example/a"],
    ["HTTPS://OTHER.example/a", "https://other.example/a"],
    ["http://localhost:8000/a", "http://localhost:8000/a"],
    ["http://127.0.0.1/a", "http://127.0.0.1/a"],
    ["http://[::1]:80/a", "http://[::1]/a"],
    ["http://other.example/a", `${SITE}/`],
    ["http://localhost.evil.example/", `${SITE}/`],
    ["http://127.0.0.1.evil.example/", `${SITE}/`],
    ["javascript:alert(1)", `${SITE}/`],
    [" java\nscript:alert(1)", `${SITE}/`],
    ["JaVaScRiPt:alert(1)", `${SITE}/`],
    ["data:text/html,<script>alert(1)</script>", `${SITE}/`],
    ["vbscript:msgbox(1)", `${SITE}/`],
    ["blob:https://www.example/1", `${SITE}/`],
    ["file:///etc/passwd", `${SITE}/`],
    ["intent://x#Intent;end", `${SITE}/`],
    ["https://", `${SITE}/`],
    ["https://a b/", `${SITE}/`],
    ["", `${SITE}/`],
    [undefined, `${SITE}/`],
  ])("%o leads to %s", (text, expected) => {
    expect(safeUrl(text, location)).toBe(expected);
  });

  it("is https or this machine, whatever is asked for", () => {
    const scheme = fc.constantFrom("", "http:", "https:", "javascript:", "data:", "ftp:", "//", "\\\\", "http://localhost");
    fc.assert(
      fc.property(scheme, fc.string(), (start, rest) => {
        const url = new URL(safeUrl(start + rest, location));
        const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
        expect(url.protocol === "https:" || (url.protocol === "http:" && local)).toBe(true);
      }),
    );
  });
});

describe("a click", () => {
  it("closes the notification, opens its page and says so", async () => {
    const notice = await shown();
    await worker.click(notice);
    expect(notice.closed).toBe(true);
    expect(worker.opened).toEqual([`${SITE}/tide`]);
    expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "clicked" }]);
  });

  it("opens the site's start page when there is no URL", async () => {
    await worker.click(await shown({ navigate: undefined }));
    expect(worker.opened).toEqual([`${SITE}/`]);
  });

  it("opens the site's start page for a payload that could not be read", async () => {
    await worker.push("junk");
    await worker.click(worker.notices[0]!);
    expect(worker.opened).toEqual([`${SITE}/`]);
    expect(worker.receipts).toEqual([]);
  });

  describe("where notifications show no buttons", () => {
    const question = [{ id: "yes", title: "Yes" }, { id: "map", title: "Map", url: `${SITE}/map` }];

    test.each([0, undefined])("opens the page that asks (maxActions %s)", async (maxActions) => {
      vi.stubGlobal("Notification", { maxActions });
      await worker.click(await shown({ navigate: undefined }, { a: question }));
      expect(worker.opened).toEqual(["https://push.example/v1/app_1/push/answers/d1/token"]);
      expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "clicked" }]);
    });

    it("opens the notification's own page, if it has one", async () => {
      vi.stubGlobal("Notification", {});
      await worker.click(await shown({}, { a: question }));
      expect(worker.opened).toEqual([`${SITE}/tide`]);
    });

    it("asks nothing where every button only leads somewhere, or there is none", async () => {
      vi.stubGlobal("Notification", {});
      await worker.click(await shown({ navigate: undefined }, { a: question.slice(1) }));
      await worker.click(await shown({ navigate: undefined }, {}));
      expect(worker.opened).toEqual([`${SITE}/`, `${SITE}/`]);
    });

    it("leads where a button says that was pressed all the same", async () => {
      vi.stubGlobal("Notification", {});
      await worker.click(await shown({ navigate: undefined }, { a: question }), "map");
      await worker.click(await shown({ navigate: undefined }, { a: question }), "yes");
      expect(worker.opened).toEqual([`${SITE}/map`]);
      expect(worker.receipts).toMatchObject([{ event: "answered", action: "yes" }]);
    });
  });

  it("brings a window to the front that is there already", async () => {
    const other = worker.page(`${SITE}/`);
    const there = worker.page(`${SITE}/tide`);
    await worker.click(await shown());
    expect([other.focused, there.focused]).toEqual([0, 1]);
    expect(worker.opened).toEqual([]);
  });

  it("leads a page of this worker there", async () => {
    const [frame, first, other] = [worker.page(`${SITE}/ad`, { frameType: "nested" }), worker.page(`${SITE}/`), worker.page(`${SITE}/b`)];
    await worker.click(await shown());
    expect(first).toMatchObject({ url: `${SITE}/tide`, focused: 1 });
    expect([frame.url, other.url, worker.opened]).toEqual([`${SITE}/ad`, `${SITE}/b`, []]);
  });

  it("opens a window beside pages that this worker may not lead", async () => {
    const page = worker.page(`${SITE}/`, { controlled: false });
    await worker.click(await shown());
    expect([page.focused, page.url, worker.opened]).toEqual([0, `${SITE}/`, [`${SITE}/tide`]]);
  });

  it.each(["https://other.example/a", `${SITE}.evil.example/`])("takes no page away for another site's: %s", async (navigate) => {
    const page = worker.page(`${SITE}/`);
    await worker.click(await shown({ navigate }));
    expect([page.focused, page.url, worker.opened]).toEqual([0, `${SITE}/`, [navigate]]);
  });

  it("leads any page there when no window may be opened", async () => {
    worker.opening = () => Promise.reject(new DOMException("no", "InvalidAccessError"));
    const page = worker.page(`${SITE}/`);
    page.focus = () => Promise.reject(new DOMException("no", "InvalidAccessError"));
    await worker.click(await shown());
    expect(page.url).toBe(`${SITE}/tide`);
  });

  it("asks a page to go there itself that this worker may not lead", async () => {
    worker.opening = () => Promise.reject(new DOMException("no", "InvalidAccessError"));
    const page = worker.page(`${SITE}/`, { controlled: false });
    await worker.click(await shown());
    expect(page.heard).toContainEqual({ tidings: "go", url: `${SITE}/tide` });
  });

  it("opens a window when the one that is there may not come to the front", async () => {
    worker.page(`${SITE}/tide`).focus = () => Promise.reject(new DOMException("no", "InvalidAccessError"));
    await worker.click(await shown());
    expect(worker.opened).toEqual([`${SITE}/tide`]);
  });

  it("opens before the network is asked, and neither waits for the other", async () => {
    const notice = await shown();
    worker.server.down = true;
    await worker.click(notice);
    expect(worker.log).toEqual(["open", "fetch"]);
    worker.server.down = false;
    worker.opening = () => new Promise(() => undefined);
    void worker.click(notice);
    await expect.poll(() => worker.receipts.length).toBeGreaterThan(1);
  });

  it("is reported even if the window does not open", async () => {
    const notice = await shown();
    worker.opening = () => Promise.reject(new DOMException("no", "InvalidAccessError"));
    await worker.click(notice);
    expect(worker.receipts).toHaveLength(1);
  });

  it("is told to the open pages", async () => {
    const page = worker.page(`${SITE}/news`);
    await worker.click(await shown(), "yes");
    expect(page.heard).toMatchObject([
      { tidings: "received" },
      { tidings: "clicked", app: "app_1", detail: { delivery: "d1", title: "Spring tide", url: `${SITE}/tide`, action: "yes" } },
    ]);
  });

  it("on a notification of the site's own worker is none of our business", async () => {
    for (const data of [undefined, null, "text", { url: "/mine" }]) {
      const notice = { title: "Theirs", data, closed: false, close: () => (notice.closed = true) };
      await worker.click(notice);
      await worker.dispatch("notificationclose", { notification: notice });
      expect(notice.closed).toBe(false);
    }
    expect(worker.opened).toEqual([]);
    expect(worker.receipts).toEqual([]);
  });
});

describe("a button", () => {
  it("without a URL is an answer and opens nothing", async () => {
    await worker.click(await shown(), "yes");
    expect(worker.opened).toEqual([]);
    expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "answered", action: "yes" }]);
  });

  it("with a URL opens that", async () => {
    await worker.click(await shown(), "map");
    expect(worker.opened).toEqual([`${SITE}/map`]);
    expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "clicked", action: "map" }]);
  });

  it("with a URL that may not be opened leads to the start page", async () => {
    await worker.click(await shown(), "bad");
    expect(worker.opened).toEqual([`${SITE}/`]);
  });

  test.each([
    ["yes-moz", "yes"],
    ["pin-moz", "pin-moz"],
    ["pin-moz-moz", "pin-moz"],
  ])("that Firefox calls %s is %s", async (pressed, action) => {
    await worker.click(await shown(), pressed);
    expect(worker.receipts).toMatchObject([{ event: "answered", action }]);
  });

  it("that nobody knows counts as the notification itself", async () => {
    await worker.click(await shown(), "default");
    expect(worker.opened).toEqual([`${SITE}/tide`]);
    expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "clicked" }]);
  });
});

describe("closing", () => {
  it("is reported", async () => {
    const notice = await shown();
    await worker.dispatch("notificationclose", { notification: notice });
    expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "closed" }]);
  });

  it("is not reported of one that was clicked, which Firefox calls closed as well", async () => {
    const notice = await shown();
    await worker.click(notice);
    await worker.dispatch("notificationclose", { notification: notice });
    expect(worker.receipts).toEqual([{ delivery: "d1", token: "token", event: "clicked" }]);
  });

  it("is not reported of one that a newer message replaced, which Firefox calls closed as well", async () => {
    const notice = await shown({ tag: "score" });
    await worker.push(payload({ tag: "score" }, { d: "d2" }));
    worker.server.calls = [];
    await worker.dispatch("notificationclose", { notification: Object.assign(notice, { tag: "score" }) });
    expect(worker.receipts).toEqual([]);
  });
});
