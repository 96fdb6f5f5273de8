import { beforeEach, describe, expect, it } from "vitest";
import { changeDevice, device, type Device } from "../../src/shared/store.ts";
import { FakeWorker, SITE, subscriptionAt } from "../fakes/worker.ts";
import { json, keyOf, problem } from "../fakes/server.ts";

let worker: FakeWorker;

const kept: Device = {
  server: "https://push.example",
  app: "app_1",
  id: "sub_9",
  secret: "secret-9",
  endpoint: "https://push.service/old",
  key: keyOf("k"),
  user: "u-1",
  seen: 0,
  digest: "",
};

beforeEach(async () => {
  worker = await new FakeWorker().install().start();
  await changeDevice(`${SITE}/`, () => kept);
});

const told = (): unknown[] => worker.server.to("/subscribe").map(({ body }) => body);

describe("a changed subscription", () => {
  it("is told to the server with the device's id, secret and person", async () => {
    await worker.dispatch("pushsubscriptionchange", { newSubscription: subscriptionAt("https://push.service/new") });
    expect(told()).toMatchObject([
      {
        subscription: { endpoint: "https://push.service/new" },
        vapid_key: kept.key,
        id: "sub_9",
        secret: "secret-9",
        user: { id: "u-1" },
      },
    ]);
    expect(await device(`${SITE}/`)).toMatchObject({ id: "sub_1", secret: "secret-1", endpoint: "https://push.service/new", user: "u-1", key: kept.key });
    expect(await device(`${SITE}/`)).toMatchObject({ digest: "" });
    expect(worker.subscribe).not.toHaveBeenCalled();
  });

  it.each([null, undefined])("is made anew with the same key when the browser made none (%o)", async (newSubscription) => {
    await worker.dispatch("pushsubscriptionchange", { newSubscription });
    expect(worker.subscribe).toHaveBeenCalledWith({ userVisibleOnly: true, applicationServerKey: kept.key });
    expect(told()).toMatchObject([{ subscription: { endpoint: "https://push.service/again" } }]);
  });

  it("is told as nobody's when the server wants the person's id signed, for the next visit to tell whose", async () => {
    worker.server.instead.set("POST /subscribe", () => {
      worker.server.instead.clear();
      return problem(403, "identity_invalid");
    });
    await worker.dispatch("pushsubscriptionchange", { newSubscription: subscriptionAt("https://push.service/new") });
    expect(told()).toHaveLength(2);
    expect(told()[1]).not.toHaveProperty("user");
    expect(await device(`${SITE}/`)).toMatchObject({ user: "u-1", digest: "" });
  });

  it("is left to the next visit when the server or the permission is gone", async () => {
    worker.server.instead.set("POST /subscribe", () => problem(503, "service_busy"));
    await worker.dispatch("pushsubscriptionchange", { newSubscription: subscriptionAt("https://push.service/new") });
    worker.server.down = true;
    await worker.dispatch("pushsubscriptionchange", { newSubscription: subscriptionAt("https://push.service/new") });
    worker.subscribe.mockRejectedValue(new DOMException("no", "NotAllowedError"));
    await worker.dispatch("pushsubscriptionchange", { newSubscription: null });
    expect(await device(`${SITE}/`)).toEqual(kept);
  });

  it.each([
    ["was turned off", { ...kept, endpoint: "", digest: "" }],
    ["never was there", undefined],
  ])("is nothing to a device that %s", async (_, device) => {
    await changeDevice(`${SITE}/`, () => device);
    await worker.dispatch("pushsubscriptionchange", { newSubscription: null });
    expect(told()).toEqual([]);
    expect(worker.subscribe).not.toHaveBeenCalled();
  });

  it("does not bring back what a page turns off meanwhile, nor who signs out there", async () => {
    const meanwhile = async (change: Partial<Device>): Promise<Device | undefined> => {
      await changeDevice(`${SITE}/`, () => kept);
      worker.server.instead.set("POST /subscribe", async () => {
        await changeDevice(`${SITE}/`, (old) => old && { ...old, ...change, digest: "" });
        return json({ id: "sub_9", secret: "secret-9", status: "active" });
      });
      await worker.dispatch("pushsubscriptionchange", { newSubscription: subscriptionAt("https://push.service/new") });
      return device(`${SITE}/`);
    };
    expect(await meanwhile({ endpoint: "" })).toMatchObject({ endpoint: "", id: "sub_9" });
    const signedOut = await meanwhile({ user: undefined });
    expect(signedOut).toMatchObject({ endpoint: "https://push.service/new", digest: "" });
    expect(signedOut?.user).toBeUndefined();
    expect(await meanwhile({ user: "u-2" })).toMatchObject({ user: "u-2", digest: "" });
  });
});
