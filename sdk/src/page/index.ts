/** The browser SDK of Tidings. */
import { registered as ourWorker, supported } from "./browser.ts";
import { isRegistered, register, unregister } from "./device.ts";
import { TidingsError } from "./errors.ts";
import { emit, hear, type WebPushState } from "./events.ts";
import { setOptions, setUser, type Options } from "./options.ts";

declare const __VERSION__: string;

export { TidingsError } from "./errors.ts";
export { on, type Events, type WebPushState } from "./events.ts";
export type { Options, User } from "./options.ts";

export const version: string = __VERSION__;

/** Why the last attempt did not end as `registered`; undefined when it did. */
export let lastError: TidingsError | undefined;

let told: WebPushState | undefined;

function tell(state: WebPushState): WebPushState {
  if (state !== told) {
    told = state;
    emit("change", state);
  }
  return state;
}

function failed(cause: unknown): void {
  lastError = cause instanceof TidingsError ? cause : new TidingsError("failed", String(cause), cause);
}

/** Run one thing after the other: two clicks make one subscription. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const next = last.then(work, work);
  last = next.catch(() => undefined);
  return next;
}

/** Set up this page. It never asks for permission; where that was given before, it brings server and browser in line. */
export async function init(options: Options = {}): Promise<WebPushState> {
  setOptions(options);
  if (!supported()) return tell("unsupported");
  hear();
  return inTurn(async () => {
    if (Notification.permission === "granted" && (await ourWorker().catch(() => undefined))) {
      await register(false).then(() => (lastError = undefined), failed);
    }
    return state();
  });
}

/** What stands between this device and its notifications. */
export async function state(): Promise<WebPushState> {
  if (!supported()) return tell("unsupported");
  if (Notification.permission === "denied") return tell("denied");
  if (Notification.permission !== "granted") return tell("undecided");
  return tell((await isRegistered().catch(() => false)) ? "registered" : "unregistered");
}

/**
 * Ask for permission if need be, and register this device. Call it from a click: browsers ask only then.
 * A reason for any state but `registered` is in `lastError`.
 */
export async function subscribe(): Promise<WebPushState> {
  if (!supported()) return tell("unsupported");
  // At once, while the click counts; Safari takes nothing between.
  const permission = Notification.permission === "default" ? Notification.requestPermission() : Notification.permission;
  hear();
  if ((await permission) === "granted") {
    await inTurn(() => register()).then(() => (lastError = undefined), failed);
  }
  return state();
}

/** Turn this device off, here and at the server. */
export async function unsubscribe(): Promise<WebPushState> {
  if (!supported()) return tell("unsupported");
  await inTurn(unregister).then(() => (lastError = undefined), failed);
  return state();
}

/** Say who uses this device; `token` is their id signed by your server. */
export function login(id: string, token?: string): Promise<WebPushState> {
  setUser({ id, token });
  return again();
}

/** Say that nobody is signed in any more; the device stays subscribed. */
export function logout(): Promise<WebPushState> {
  setUser(undefined);
  return again();
}

async function again(): Promise<WebPushState> {
  const now = await state();
  if (now === "registered") {
    await inTurn(() => register()).then(() => (lastError = undefined), failed);
    if (lastError) throw lastError;
  }
  return now;
}
