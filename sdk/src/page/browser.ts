/** What the browser can do and holds: permission and subscription. */
import { servedBy } from "../shared/config.ts";
import { bytesFrom, textFrom } from "../shared/keys.ts";
import { rethrow, within } from "./errors.ts";

const SUBSCRIBING = 20;

/**
 * Not where the App's web push is turned off: what there is stays as it is, until the person turns it off. An iPhone's tab
 * has neither Notification nor PushManager: ask before touching them.
 */
export function supported(off = servedBy().off): boolean {
  try {
    // In a sandboxed frame the mere look at `serviceWorker` throws.
    return Boolean(!off && isSecureContext && "Notification" in window && "PushManager" in window && navigator.serviceWorker);
  } catch {
    return false;
  }
}

/** Ask for permission, at once: the click counts only until something is awaited. */
export function ask(): Promise<NotificationPermission> {
  return new Promise<NotificationPermission>((resolve) => resolve(Notification.requestPermission())).catch(
    () => Notification.permission,
  );
}

/** The subscription of a registration, null without one. */
export async function held(registration: ServiceWorkerRegistration | undefined): Promise<PushSubscription | null> {
  return registration ? within("The browser", registration.pushManager.getSubscription()) : null;
}

/** Every registration of this site with its subscription, whosever it is. */
export async function everything(): Promise<{ scope: string; subscription: PushSubscription }[]> {
  const all = await within("The browser", navigator.serviceWorker.getRegistrations());
  const found = await Promise.all(all.map(async (one) => ({ scope: one.scope, subscription: await held(one).catch(() => null) })));
  return found.filter((one): one is { scope: string; subscription: PushSubscription } => one.subscription !== null);
}

/** Subscribe with this key; a subscription made with another key is given up first. */
export async function subscribed(registration: ServiceWorkerRegistration, key: string): Promise<PushSubscription> {
  const old = await held(registration);
  const madeWith = textFrom(old?.options.applicationServerKey);
  if (old && madeWith === key) return old;
  if (madeWith) await givenUp(old);
  const asked = { userVisibleOnly: true, applicationServerKey: bytesFrom(key) };
  const made = (): Promise<PushSubscription> =>
    within("The push service", registration.pushManager.subscribe(asked), SUBSCRIBING);
  return made()
    .catch(async (cause: unknown) => {
      // Another key, and the browser did not say so before.
      if ((cause as Error).name !== "InvalidStateError") throw cause;
      await givenUp(await held(registration));
      return made();
    })
    .catch(
      rethrow(
        "subscribe_failed",
        (cause) => `The browser could not subscribe (${cause}). Is push off? Brave has a setting.`,
      ),
    );
}

export async function givenUp(subscription: PushSubscription | null): Promise<void> {
  if (subscription) await within("The browser", subscription.unsubscribe());
}
