/** This device at the server: register it, keep it up to date, turn it off. */
import { servedBy } from "../shared/config.ts";
import { textFrom } from "../shared/keys.ts";
import { changeDevice, device, receipts, wish, type Device } from "../shared/store.ts";
import { call, digestOf, enrol, enrolAsBefore, Refused } from "../shared/upload.ts";
import { everything, givenUp, held, subscribed } from "./browser.ts";
import { rethrow, TidingsError, within } from "./errors.ts";
import { origin, user, worker } from "./options.ts";
import { hello, ready, registered } from "./worker.ts";

const A_DAY = 86_400_000;
const LOST = "subscription_secret_required";

/** Wait for the server; whatever goes wrong becomes a TidingsError. */
export function answer<T>(asked: Promise<T>): Promise<T> {
  return within("The Tidings server", asked).catch((cause: unknown) => {
    if (cause instanceof Refused) throw refusal(cause);
    return rethrow(
      "server_unreachable",
      () => `${origin().server} does not answer. Does it run? Is this an origin of the App?`,
    )(cause);
  });
}

function refusal(cause: Refused): TidingsError {
  const { code, detail, mend } = cause.problem;
  if (code) return new TidingsError(code, [detail, mend].filter(Boolean).join(" "), cause);
  const words = `${origin().server} answered ${cause.message}. Check its address.`;
  return new TidingsError("server_unexpected", words, cause);
}

/** Whether the server said no, and would again: not so when it was too busy. */
export const isFinal = (cause: unknown): boolean =>
  cause instanceof TidingsError && cause.cause instanceof Refused && /^4(?!29)/.test(cause.cause.message);

const isRecent = (kept: Device): boolean => Math.abs(Date.now() - kept.seen) < A_DAY;

/** What is kept of the device at a scope, if it is of this server and App; null if another's is, undefined if none. */
async function ours(scope = worker().scope): Promise<Device | null | undefined> {
  const [kept, { server, app }] = [await device(scope), origin()];
  return kept && (kept.server === server && kept.app === app ? kept : null);
}

/** Make sure that browser and server agree: worker, subscription, registration. */
export async function register(): Promise<void> {
  // Noted before anything can fail: each visit tries again.
  await wish(worker().scope, "on");
  const asked = currentKey();
  const [key, registration] = await Promise.all([asked, ready(asked)]);
  const subscription = await subscribed(registration, key);
  try {
    await enrolled(subscription, key);
  } catch (cause) {
    if (!(cause instanceof TidingsError) || cause.code !== LOST) throw cause;
    // The secret never reached us, or is gone: only a new address is ours again.
    await givenUp(subscription);
    await enrolled(await subscribed(registration, key), key);
  }
  await leave(key);
}

/** The App's key of this moment; throws what keeps the server from answering. */
export async function currentKey(): Promise<string> {
  const { public_key: key } = await answer(call<{ public_key?: string }>(origin(), "GET", "/vapid-key"));
  if (!key) throw refusal(new Refused(200, undefined));
  return key;
}

async function enrolled(subscription: PushSubscription, key: string): Promise<void> {
  const [known, who] = [(await ours()) ?? undefined, user()];
  const made = await answer(
    who === undefined
      ? enrolAsBefore(origin(), subscription, key, known)
      : enrol(origin(), subscription, key, known, who ?? undefined),
  );
  // Without the secret the server still counts the device as theirs who have signed out, and takes nothing of it.
  if (known && !made.secret && !(made.user && isRecent(known))) throw new TidingsError(LOST, LOST);
  await changeDevice(worker().scope, (old) =>
    // Another tab may have been told the secret meanwhile; it is told only once.
    !made.secret && old?.endpoint === made.endpoint && old.secret !== known?.secret ? { ...made, secret: old.secret } : made,
  );
}

/** A subscription with our key under another scope, from a former set-up: this device would get everything twice. */
async function leave(key: string): Promise<void> {
  const { scope } = worker();
  for (const other of await everything().catch(() => [])) {
    const same = textFrom(other.subscription.options.applicationServerKey) === key;
    if (other.scope !== scope && same && (await ours(other.scope)) !== null) await givenUp(other.subscription).catch(() => undefined);
  }
}

/** Register again what should be registered, if something has changed or a day has passed. */
export async function sync(): Promise<void> {
  const { scope } = worker();
  // Also what was not turned off to the end: the page was closed, or nobody answered.
  if ((await wish(scope)) === "off") return unregister();
  const [kept, who] = [await ours(), user()];
  const registration = await registered();
  const subscription = await held(registration);
  const id = who === undefined ? kept?.user : who?.id;
  if (kept && isRecent(kept) && subscription && !isRotated(kept) && digestOf(subscription, kept.key, id) === kept.digest) {
    // A worker that hears of us sends what it could not send before.
    if (registration && (await receipts(scope)).length) void hello(registration.active);
    return;
  }
  if (await isWanted()) await register();
  else await retire();
}

/** Whether the App has another key by now, as far as the script's own server tells. */
function isRotated(kept: Device): boolean {
  const { key, server, app } = servedBy();
  return Boolean(key) && server === kept.server && app === kept.app && key !== kept.key;
}

/** Whether the person has chosen notifications of this site: here, or of whoever pushed for it before. */
async function isWanted(): Promise<boolean> {
  const { scope } = worker();
  if (await wish(scope)) return true;
  for (const { scope: other } of await everything()) if (other === scope || (await ours(other)) !== null) return true;
  return false;
}

/** Give up the subscription here and at the server; both are tried, whatever becomes of the other. */
export async function unregister(): Promise<void> {
  await wish(worker().scope, "off");
  const done = await Promise.allSettled([registered().then(held).then(givenUp), retire()]);
  for (const end of done) if (end.status === "rejected") throw end.reason;
}

/**
 * Tell the server that this device gets nothing any more: the person turned it off, or took the permission back. What
 * it could not be told stays for the next visit. The id is kept, for who comes back is the same device.
 */
export async function retire(): Promise<void> {
  const { scope } = worker();
  const kept = await ours();
  if (!kept?.endpoint) return;
  const { id, secret } = kept;
  const reason = (await wish(scope)) === "off" ? "turned_off" : "permission_revoked";
  if (secret) {
    await answer(call(origin(), "DELETE", "/subscribe", { id, secret, reason })).catch((cause: unknown) => {
      if (!isFinal(cause)) throw cause;
    });
  }
  await changeDevice(scope, (old) => old && { ...old, endpoint: "", digest: "" });
}

/** Note whose device it is, so that the next visit tells the server even if this one cannot. */
export async function assign(user: string | undefined): Promise<void> {
  await changeDevice(worker().scope, (kept) => kept && { ...kept, user, digest: "" });
}

/** The registration that browser and server agree about, if there is one. */
export async function agreed(): Promise<Device | undefined> {
  const [kept, subscription] = [await ours(), await registered().then(held)];
  return subscription && kept?.endpoint === subscription.endpoint ? kept : undefined;
}
