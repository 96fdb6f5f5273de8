/** The push service replaced or ended this device's subscription: subscribe again with the same key and say so. */
import { bytesFrom } from "../shared/keys.ts";
import { changeDevice, device } from "../shared/store.ts";
import { enrolAsBefore } from "../shared/upload.ts";

declare const self: ServiceWorkerGlobalScope;

/** `event.newSubscription` is younger than the event: browsers before 2025 do not set it. */
export async function changed(event: { newSubscription?: PushSubscription | null }): Promise<void> {
  const { scope, pushManager } = self.registration;
  const kept = await device(scope);
  if (!kept) return;
  const { server, app, key } = kept;
  try {
    const again = { userVisibleOnly: true, applicationServerKey: bytesFrom(key) };
    const subscription = event.newSubscription ?? (await pushManager.subscribe(again));
    const made = await enrolAsBefore({ server, app }, subscription, key, kept);
    // Nobody may have turned it off meanwhile.
    await changeDevice(scope, (old) => old && made);
  } catch {
    // Without permission, or without a network: the next visit mends it.
  }
}
