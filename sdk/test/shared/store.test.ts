import { IDBFactory } from "fake-indexeddb";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Device, Receipt } from "../../src/shared/store.ts";

type Store = typeof import("../../src/shared/store.ts");

let store: Store;

/** The module as another page or worker has it: its own memory, the same database. */
async function elsewhere(): Promise<Store> {
  vi.resetModules();
  return import("../../src/shared/store.ts");
}

beforeEach(async () => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  store = await elsewhere();
});

const device = { id: "sub_1", endpoint: "e" } as Device;
const receipt = (delivery: string): Receipt => ({ delivery, token: "t", event: "shown" });

describe("the store", () => {
  it("is shared by page and worker", async () => {
    await store.changeDevice("/", () => device);
    await store.wish("/", "on");
    const other = await elsewhere();
    expect(await other.device("/")).toEqual(device);
    expect(await other.wish("/")).toBe("on");
  });

  it("keeps scopes apart", async () => {
    await store.changeDevice("/a/", () => device);
    expect(await store.device("/b/")).toBeUndefined();
    await store.firstShown("/a/", "d");
    expect(await store.firstShown("/b/", "d")).toBe(true);
  });

  it("forgets a device", async () => {
    await store.changeDevice("/", () => device);
    await store.changeDevice("/", () => undefined);
    expect(await store.device("/")).toBeUndefined();
  });

  it("loses nothing when many change the same at once", async () => {
    const other = await elsewhere();
    await Promise.all(
      Array.from({ length: 20 }, (_, number) => (number % 2 ? store : other).addReceipt("/", receipt(`d${number}`))),
    );
    expect(await store.receipts("/")).toHaveLength(20);
  });

  it("remembers the last 50 deliveries that were shown", async () => {
    for (let number = 0; number < 51; number += 1) expect(await store.firstShown("/", `d${number}`)).toBe(true);
    expect(await store.firstShown("/", "d1")).toBe(false);
    expect(await store.firstShown("/", "d0")).toBe(true);
  });

  it("looks without noting", async () => {
    expect(await store.firstShown("/", "d", true)).toBe(true);
    expect(await store.firstShown("/", "d")).toBe(true);
    expect(await store.firstShown("/", "d", true)).toBe(false);
  });

  it("lets one of two at once be the first to show", async () => {
    const both = await Promise.all([store.firstShown("/", "d"), store.firstShown("/", "d")]);
    expect(both.sort()).toEqual([false, true]);
  });

  it("keeps the newest 100 receipts and drops the one that was sent", async () => {
    for (let number = 0; number < 101; number += 1) await store.addReceipt("/", receipt(`d${number}`));
    await store.dropReceipt("/", receipt("d50"));
    const kept = (await store.receipts("/")).map(({ delivery }) => delivery);
    expect(kept).toHaveLength(99);
    expect(kept).not.toContain("d0");
    expect(kept).not.toContain("d50");
  });

  it("goes on in memory when a write fails", async () => {
    const unclonable = { ...device, digest: (() => undefined) as unknown as string };
    await store.changeDevice("/", () => unclonable);
    expect(await store.device("/")).toBe(unclonable);
  });
});
