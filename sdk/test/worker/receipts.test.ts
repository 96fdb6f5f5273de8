import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { changeDevice, type Device } from "../../src/shared/store.ts";
import { FakeWorker, payload, SAFARI, SITE } from "../fakes/worker.ts";
import { problem } from "../fakes/server.ts";

let worker: FakeWorker;

const delivery = (name: string): object => payload({ tag: name }, { d: name });
const shown = (name: string): object => ({ delivery: name, token: "token", event: "shown" });

beforeEach(async () => {
  worker = await new FakeWorker().install().start();
});

describe("receipts", () => {
  it("are sent without cookies, and although the worker may end", async () => {
    await worker.push(delivery("d1"));
    expect(worker.server.calls[0]).toMatchObject({
      url: "https://push.example/v1/app_1/push/receipts",
      init: { method: "POST", credentials: "omit", keepalive: true, headers: { "content-type": "application/json" } },
    });
  });

  it("are kept until the server has them, in their order", async () => {
    worker.server.down = true;
    await worker.push(delivery("d1"));
    await worker.start();
    await worker.push(delivery("d2"));
    worker.server.down = false;
    worker.server.calls = [];
    await worker.start();
    await worker.push(delivery("d3"));
    expect(worker.receipts).toEqual([shown("d1"), shown("d2"), shown("d3")]);
    await worker.push(delivery("d4"));
    expect(worker.receipts).toHaveLength(4);
  });

  test.each([500, 502, 503, 429])("are kept at %i", async (status) => {
    worker.server.instead.set("POST /receipts", () => problem(status, "service_busy"));
    await worker.push(delivery("d1"));
    worker.server.instead.clear();
    worker.server.calls = [];
    await worker.push(delivery("d2"));
    expect(worker.receipts).toEqual([shown("d1"), shown("d2")]);
  });

  test.each([400, 403, 404, 422])("are dropped at %i, which no second try would change", async (status) => {
    worker.server.instead.set("POST /receipts", () => problem(status, "receipt_invalid"));
    await worker.push(delivery("d1"));
    worker.server.instead.clear();
    worker.server.calls = [];
    await worker.push(delivery("d2"));
    expect(worker.receipts).toEqual([shown("d2")]);
  });

  it("are sent once each when events come at once", async () => {
    await Promise.all(["d1", "d2", "d3"].map((name) => worker.dispatch("push", { data: { json: () => delivery(name) } })));
    await worker.pass(10_000);
    expect(worker.receipts).toHaveLength(3);
    expect(worker.receipts).toEqual(expect.arrayContaining([shown("d1"), shown("d2"), shown("d3")]));
  });

  it("are not made of a delivery without a token", async () => {
    await worker.push(payload({}, { t: undefined }));
    expect(worker.receipts).toEqual([]);
  });

  it("wait in a worker that does not know its server, until a page has registered it", async () => {
    worker = await new FakeWorker().install({ served: false }).start();
    await worker.push(delivery("d1"));
    expect(worker.server.calls).toEqual([]);
    const device = { server: "https://push.example", app: "app_1" } as Device;
    await changeDevice(`${SITE}/`, () => device);
    await worker.push(delivery("d2"));
    expect(worker.receipts).toEqual([shown("d1"), shown("d2")]);
  });

  it("go where the device is registered, whoever served the script", async () => {
    const device = { server: "https://moved.example", app: "app_2" } as Device;
    await changeDevice(`${SITE}/`, () => device);
    await worker.push(delivery("d1"));
    expect(worker.server.calls.map(({ url }) => url)).toEqual(["https://moved.example/v1/app_2/push/receipts"]);
  });

  it("of a campaign do not come back all at once", async () => {
    const when: number[] = [];
    for (const chance of [0, 0.5, 0.999]) {
      vi.spyOn(Math, "random").mockReturnValue(chance);
      worker = await new FakeWorker().install().start();
      await worker.dispatch("push", { data: { json: () => delivery("d1") } });
      let waited = 0;
      for (; !worker.receipts.length; waited += 500) await worker.pass(500);
      when.push(waited);
    }
    expect(when).toEqual([500, 2_000, 4_000]);
  });

  it("go together when several wait", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    await worker.dispatch("push", { data: { json: () => delivery("d1") } });
    await worker.dispatch("push", { data: { json: () => delivery("d2") } });
    await worker.click(worker.notices[0]!);
    expect(worker.receipts).toEqual([shown("d1"), shown("d2"), { delivery: "d1", token: "token", event: "clicked" }]);
    await worker.pass(10_000);
    expect(worker.receipts).toHaveLength(3);
  });

  it("that a worker could not send before it ended go at the next visit", async () => {
    await worker.dispatch("push", { data: { json: () => delivery("d1") } });
    await worker.start();
    await worker.dispatch("message", { data: { tidings: "hello" }, ports: [] });
    expect(worker.receipts).toEqual([shown("d1")]);
  });

  it("are not sent from a push in Safari, but at the next click or visit", async () => {
    worker = await new FakeWorker().install({ userAgent: SAFARI }).start();
    await worker.push(delivery("d1"));
    expect(worker.log).toEqual(["shown"]);
    await worker.click(worker.notices[0]!);
    expect(worker.receipts).toEqual([shown("d1"), { delivery: "d1", token: "token", event: "clicked" }]);
  });

  it("wait for the network where the browser has Background Sync, which tries again while some are left", async () => {
    const sync = (tag = worker.syncs.shift()): Promise<void> => worker.dispatch("sync", { tag });
    worker.server.down = true;
    await worker.push(delivery("d1"));
    expect(worker.syncs).toEqual(["tidings"]);
    await expect(sync()).rejects.toThrow();
    expect(worker.syncs).toEqual([]);
    worker.server.down = false;
    worker.server.calls = [];
    await sync("the-site's-own");
    expect(worker.receipts).toEqual([]);
    await sync("tidings");
    expect(worker.receipts).toEqual([shown("d1")]);
  });

  it("wait for the next event where it has none, or may not use it", async () => {
    worker = await new FakeWorker().install({ sync: false }).start();
    worker.server.down = true;
    await worker.push(delivery("d1"));
    Object.assign(worker.registration, { sync: { register: () => Promise.reject(new DOMException("no page", "InvalidAccessError")) } });
    await worker.push(delivery("d2"));
    worker.server.down = false;
    worker.server.calls = [];
    await worker.push(delivery("d3"));
    expect(worker.receipts).toHaveLength(3);
  });
});
