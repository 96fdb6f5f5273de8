/** The push service replaced or ended this device's subscription: subscribe again with the same key and say so. */
import { bytesFrom } from "../shared/keys.ts";
import { device, keepDevice } from "../shared/store.ts";
import { call, locale, timeZone, type Registered } from "../shared/upload.ts";

declare const self: ServiceWorkerGlobalScope;

export async function changed(event: { newSubscription: PushSubscription | null }): Promise<void> {
  const kept = await device();
  if (!kept) return;
  const subscription =
    event.newSubscription ??
    (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesFrom(kept.key) }));
  const { id, secret } = await call<Registered>(kept, "POST", "/subscribe", {
    subscription: subscription.toJSON(),
    vapid_key: kept.key,
    locale: locale(),
    time_zone: timeZone(),
    id: kept.id,
    secret: kept.secret,
  });
  await keepDevice({ ...kept, id, secret: secret ?? kept.secret, endpoint: subscription.endpoint, seen: 0 });
}
