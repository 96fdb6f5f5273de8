/** What is told to the server about this device. */
import { pushUrl, type Origin } from "./config.ts";
import type { Device } from "./store.ts";

export interface User {
  id: string;
  token?: string | undefined;
}

interface Registered {
  id: string;
  secret?: string;
}

/** An answer that is no success, or not one of Tidings; then it has no `code`. */
export class Refused extends Error {
  readonly problem: { code?: string; detail?: string; mend?: string };
  constructor(status: number, problem: Refused["problem"] | undefined) {
    super(`${status}`);
    this.problem = problem ?? {};
  }
}

/** Send to the public API; never with cookies. */
export const send = (origin: Origin, method: string, path: string, body?: unknown, more?: RequestInit): Promise<Response> =>
  fetch(pushUrl(origin) + path, {
    method,
    credentials: "omit",
    ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
    ...more,
  });

/** Call the public API and read the answer. */
export async function call<T>(origin: Origin, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await send(origin, method, path, body);
  if (answer.status === 204) return undefined as T;
  const read = await answer.json().catch(() => undefined);
  if (answer.ok && read) return read;
  throw new Refused(answer.status, read);
}

const locale = (): string => navigator.language || "en";
const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** What the server knows of a device; unchanged, there is nothing to tell. */
export const digestOf = (subscription: PushSubscription, key: string, user: string | undefined): string =>
  JSON.stringify([subscription, key, locale(), timeZone(), user]);

/** Register this device or refresh its registration; gives what is to be kept. `known` is what was kept for this App. */
export async function enrol(
  origin: Origin,
  subscription: PushSubscription,
  key: string,
  known: Device | undefined,
  user: User | undefined,
): Promise<Device> {
  const told = {
    // JSON takes what its toJSON() gives.
    subscription,
    vapid_key: key,
    user,
    locale: locale(),
    time_zone: timeZone(),
    id: known?.id,
    secret: known?.secret,
  };
  const { id, secret } = await call<Registered>(origin, "POST", "/subscribe", told);
  return {
    server: origin.server,
    app: origin.app,
    id,
    // None is told to a device that was known and did not prove itself; what we had is worth nothing then.
    secret: secret ?? "",
    endpoint: subscription.endpoint,
    key,
    user: user?.id,
    seen: Date.now(),
    digest: digestOf(subscription, key, user?.id),
  };
}

/** The same for the person we remember. A server that wants the id signed anew gets the device without a person. */
export async function enrolAsBefore(
  origin: Origin,
  subscription: PushSubscription,
  key: string,
  known: Device | undefined,
): Promise<Device> {
  const user = known?.user ? { id: known.user } : undefined;
  try {
    return await enrol(origin, subscription, key, known, user);
  } catch (cause) {
    if (!user || !(cause instanceof Refused) || cause.problem.code !== "identity_invalid") throw cause;
    return enrol(origin, subscription, key, known, undefined);
  }
}
