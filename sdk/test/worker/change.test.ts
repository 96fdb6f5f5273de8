import { beforeEach, describe, expect, it } from "vitest";
import { changeDevice, device, type Device } from "../../src/shared/store.ts";
import { FakeWorker, SITE, subscriptionAt } from "../fakes/worker.ts";
import { keyOf, problem } from "../fakes/server.ts";

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

  it("becomes nobody's when the server wants the person's id signed", async () => {
    worker.server.instead.set("POST /subscribe", () => {
      worker.server.instead.clear();
      return problem(403, "identity_invalid");
    });
    await worker.dispatch("pushsubscriptionchange", { newSubscription: subscriptionAt("https://push.service/new") });
    expect(told()).toHaveLength(2);
    expect(told()[1]).not.toHaveProperty("user");
    expect((await device(`${SITE}/`))!.user).toBeUndefined();
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

  it("is nothing to a device that was turned off", async () => {
    await changeDevice(`${SITE}/`, () => undefined);
    await worker.dispatch("pushsubscriptionchange", { newSubscription: subscriptionAt("https://push.service/new") });
    expect(told()).toEqual([]);
    expect(worker.subscribe).not.toHaveBeenCalled();
  });
});
