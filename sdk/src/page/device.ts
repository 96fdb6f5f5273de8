/** This device at the server: register it, keep it up to date, turn it off. */
import { device, keepDevice, type Device } from "../shared/store.ts";
import { call, locale, Refused, timeZone, type Registered, type Registration } from "../shared/upload.ts";
import { ready, registered, subscribed } from "./browser.ts";
import { TidingsError, within } from "./errors.ts";
import { origin, user } from "./options.ts";

const ANSWERING = 15;
const A_DAY = 86_400_000;

async function asked<T>(method: string, path: string, body?: unknown): Promise<T> {
  try {
    return await within(ANSWERING, "The Tidings server", call<T>(origin(), method, path, body));
  } catch (cause) {
    if (cause instanceof TidingsError) throw cause;
    if (cause instanceof Refused) throw new TidingsError(cause.code, cause.message, cause);
    throw new TidingsError(
      "server_unreachable",
      `${origin().server} does not answer. Check that it runs, and that this site is one of the App's origins.`,
      cause,
    );
  }
}

/** Make sure that browser and server agree: worker, subscription, registration. With `force` the server is always told. */
export async function register(force = true): Promise<void> {
  const [{ public_key: key }, registration] = await Promise.all([
    asked<{ public_key: string }>("GET", "/vapid-key"),
    ready(),
  ]);
  await upload(await subscribed(registration, key), key, force);
}

async function upload(subscription: PushSubscription, key: string, force: boolean): Promise<void> {
  const kept = await device().catch(() => undefined);
  const same = kept?.server === origin().server && kept.app === origin().app ? kept : undefined;
  const body: Registration = {
    subscription: subscription.toJSON(),
    vapid_key: key,
    locale: locale(),
    time_zone: timeZone(),
    user: user(),
  };
  const digest = JSON.stringify([body.subscription, key, body.locale, body.time_zone, body.user?.id]);
  if (!force && same?.digest === digest && Date.now() - same.seen < A_DAY) return;
  const known = same?.endpoint === subscription.endpoint ? same : undefined;
  const { id, secret } = await asked<Registered>("POST", "/subscribe", { ...body, id: same?.id, secret: same?.secret });
  await keepDevice({
    ...origin(),
    id,
    secret: secret ?? known?.secret ?? "",
    endpoint: subscription.endpoint,
    key,
    user: body.user?.id,
    seen: Date.now(),
    digest,
  });
}

/** Give up the subscription here and at the server; both are tried, whatever becomes of the other. */
export async function unregister(): Promise<void> {
  const kept = await device().catch(() => undefined);
  const registration = await registered();
  const subscription = await registration?.pushManager.getSubscription();
  const endpoint = subscription?.endpoint ?? kept?.endpoint;
  const ends: Promise<unknown>[] = [];
  if (subscription) ends.push(within(ANSWERING, "Unsubscribing", subscription.unsubscribe()));
  if (endpoint && kept?.secret) ends.push(asked("DELETE", "/subscribe", { endpoint, secret: kept.secret }));
  const failed = (await Promise.allSettled(ends)).find((end) => end.status === "rejected");
  await keepDevice(undefined).catch(() => undefined);
  if (failed?.status === "rejected" && failed.reason?.code !== "not_found") throw failed.reason;
}

/** Whether this browser's subscription is the one the server was told of. */
export async function isRegistered(): Promise<boolean> {
  const [kept, registration] = await Promise.all([device().catch(() => undefined), registered()]);
  const subscription = await registration?.pushManager.getSubscription();
  return Boolean(kept && subscription && kept.endpoint === subscription.endpoint && kept.app === origin().app);
}

export type { Device };
