/** The push service replaced or ended this device's subscription: subscribe again with the same key and say so. */
import { changeDevice, device } from "../shared/store.ts";
import { send } from "../shared/upload.ts";

declare const self: ServiceWorkerGlobalScope;

/**
 * `event.newSubscription` is younger than the event: browsers before 2025 do not set it. The row is found by the id and
 * secret that we keep, for those browsers do not say either which subscription it was.
 */
export async function changed(event: { newSubscription?: PushSubscription | null }): Promise<void> {
  const { scope, pushManager } = self.registration;
  const kept = await device(scope);
  if (!kept?.endpoint) return;
  const { key, id, secret } = kept;
  try {
    const again = { userVisibleOnly: true, applicationServerKey: key };
    const subscription = event.newSubscription ?? (await pushManager.subscribe(again));
    const told = { subscription, vapid_key: key, id, secret };
    const tell = (user?: { id: string }): Promise<Response> => send(kept, "POST", "/subscribe", { ...told, user });
    let answer = await tell(kept.user ? { id: kept.user } : undefined);
    // A server that wants the person's id signed gets the device without one; the next visit signs it.
    if (answer.status === 403 && kept.user) answer = await tell();
    if (!answer.ok) return;
    const made = await answer.json();
    const now = { endpoint: subscription.endpoint, id: made.id, secret: made.secret ?? "", digest: "" };
    // A page may have turned it off meanwhile, or signed its person out. Without a digest the next visit tells the rest.
    await changeDevice(scope, (old) => (old?.endpoint ? { ...old, ...now } : old));
  } catch {
    // Without permission, or without a network: the next visit mends it.
  }
}
