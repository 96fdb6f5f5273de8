/** What is told to the server about this device. */
import { pushUrl, type Origin } from "./config.ts";

export interface Registration {
  subscription: PushSubscriptionJSON;
  vapid_key: string;
  user?: { id: string; token?: string | undefined } | undefined;
  locale: string;
  time_zone: string;
  id?: string | undefined;
  secret?: string | undefined;
}

export interface Registered {
  id: string;
  secret?: string;
  status: string;
}

/** An answer that is no success; `code` is the server's own, such as `origin_not_allowed`. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Call the public API; never with cookies. */
export async function call<T>(origin: Origin, method: string, path: string, body?: unknown, keepalive = false): Promise<T> {
  const answer = await fetch(pushUrl(origin) + path, {
    method,
    mode: "cors",
    credentials: "omit",
    keepalive,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (answer.ok) return (answer.status === 204 ? undefined : await answer.json().catch(() => undefined)) as T;
  const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
  throw new Refused(problem.code ?? `http_${answer.status}`, problem.detail ?? `The server answered ${answer.status}.`);
}

export const locale = (): string => navigator.language || "en";
export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
