/** What the browser can do and holds: permission, worker, subscription. */
import { bytesFrom, textFrom } from "../shared/keys.ts";
import { TidingsError, within } from "./errors.ts";
import { worker } from "./options.ts";

const LOOKING = 15;
const SUBSCRIBING = 20;

/** An iPhone's tab has neither Notification nor PushManager: ask before touching them. */
export function supported(): boolean {
  try {
    // In a sandboxed frame the mere look at `serviceWorker` throws.
    return isSecureContext && "Notification" in window && "PushManager" in window && Boolean(navigator.serviceWorker);
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
  return registration ? within(LOOKING, "Looking for the subscription", registration.pushManager.getSubscription()) : null;
}

/** The registration of our worker, if there is one. */
export async function registered(): Promise<ServiceWorkerRegistration | undefined> {
  const { url, scope } = worker();
  const found = await within(LOOKING, "Looking for the service worker", navigator.serviceWorker.getRegistration(scope));
  const script = found?.active ?? found?.waiting ?? found?.installing;
  return found?.scope === scope && script && new URL(script.scriptURL).pathname === new URL(url).pathname ? found : undefined;
}

/** Every registration of this site with its subscription, whosever it is. */
export async function everything(): Promise<{ scope: string; subscription: PushSubscription }[]> {
  const all = await within(LOOKING, "Looking for service workers", navigator.serviceWorker.getRegistrations());
  const found = await Promise.all(all.map(async (one) => ({ scope: one.scope, subscription: await held(one).catch(() => null) })));
  return found.filter((one): one is { scope: string; subscription: PushSubscription } => one.subscription !== null);
}

/** Register our worker and wait until it is active. */
export async function ready(): Promise<ServiceWorkerRegistration> {
  const { url, scope } = worker();
  let made: ServiceWorkerRegistration;
  try {
    made = await within(
      LOOKING,
      "Registering the service worker",
      navigator.serviceWorker.register(url, { scope, updateViaCache: "none" }),
    );
  } catch (cause) {
    if (cause instanceof TidingsError) throw cause;
    throw new TidingsError(
      "worker_failed",
      `The service worker ${url} could not be registered (${String(cause)}). The file must be on this site and be served as JavaScript.`,
      cause,
    );
  }
  await within(LOOKING, "Starting the service worker", active(made));
  return made;
}

function active(registration: ServiceWorkerRegistration): Promise<void> {
  return new Promise((resolve, reject) => {
    if (registration.active) return resolve();
    const worker = registration.installing ?? registration.waiting;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") {
        reject(new TidingsError("worker_failed", "The service worker could not start. Open the browser's console for its error."));
      }
    });
  });
}

/** Subscribe with this key; a subscription made with another key is given up first. */
export async function subscribed(registration: ServiceWorkerRegistration, key: string): Promise<PushSubscription> {
  const old = await held(registration);
  const madeWith = textFrom(old?.options.applicationServerKey);
  if (old && madeWith === key) return old;
  if (madeWith) await givenUp(old);
  const asked = { userVisibleOnly: true, applicationServerKey: bytesFrom(key) };
  const made = (): Promise<PushSubscription> =>
    within(SUBSCRIBING, "Subscribing at the browser's push service", registration.pushManager.subscribe(asked));
  try {
    return await made().catch(async (cause: unknown) => {
      // Another key, and the browser did not say so before.
      if ((cause as Error).name !== "InvalidStateError") throw cause;
      await givenUp(await held(registration));
      return made();
    });
  } catch (cause) {
    if (cause instanceof TidingsError) throw cause;
    throw new TidingsError(
      "subscribe_failed",
      `The browser could not subscribe (${String(cause)}). Its push service may be blocked or turned off; in Brave, allow Google's push service in the settings.`,
      cause,
    );
  }
}

export async function givenUp(subscription: PushSubscription | null): Promise<void> {
  if (subscription) await within(LOOKING, "Unsubscribing", subscription.unsubscribe());
}
