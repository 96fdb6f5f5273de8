/** What the browser can do and holds: permission, worker, subscription. */
import { bytesFrom, textFrom } from "../shared/keys.ts";
import { TidingsError, within } from "./errors.ts";
import { worker } from "./options.ts";

const REGISTERING = 15;
const SUBSCRIBING = 20;

/** An iPhone's tab has neither Notification nor PushManager: ask before touching them. */
export function supported(): boolean {
  return (
    typeof window !== "undefined" &&
    window.isSecureContext &&
    "Notification" in window &&
    "PushManager" in window &&
    "serviceWorker" in navigator &&
    "indexedDB" in window
  );
}

/** The registration of our worker, if there is one. */
export async function registered(): Promise<ServiceWorkerRegistration | undefined> {
  const { path, scope } = worker();
  const found = await navigator.serviceWorker.getRegistration(scope ?? new URL(".", new URL(path, location.href)).href);
  const script = found?.active ?? found?.waiting ?? found?.installing;
  return script && new URL(script.scriptURL).pathname === new URL(path, location.href).pathname ? found : undefined;
}

/** Register our worker and wait until it is active. */
export async function ready(): Promise<ServiceWorkerRegistration> {
  const { path, scope } = worker();
  let made: ServiceWorkerRegistration;
  try {
    made = await within(REGISTERING, "Registering the service worker", navigator.serviceWorker.register(path, scope ? { scope } : {}));
  } catch (cause) {
    if (cause instanceof TidingsError) throw cause;
    throw new TidingsError(
      "worker_failed",
      `The service worker ${path} could not be registered (${String(cause)}). The file must be on this site and be served as JavaScript.`,
      cause,
    );
  }
  await within(REGISTERING, "Starting the service worker", active(made));
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
  const held = await registration.pushManager.getSubscription();
  if (held) {
    const madeWith = textFrom(held.options.applicationServerKey);
    if (!madeWith || madeWith === key) return held;
    await held.unsubscribe();
  }
  const asked = { userVisibleOnly: true, applicationServerKey: bytesFrom(key) };
  try {
    return await within(SUBSCRIBING, "Subscribing at the browser's push service", registration.pushManager.subscribe(asked));
  } catch (cause) {
    if (cause instanceof TidingsError) throw cause;
    throw new TidingsError(
      "subscribe_failed",
      `The browser could not subscribe (${String(cause)}). Its push service may be blocked or turned off; in Brave, allow Google's push service in the settings.`,
      cause,
    );
  }
}
