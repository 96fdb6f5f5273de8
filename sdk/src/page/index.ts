/** The browser SDK of Tidings. */
import type { Banner, BannerOptions } from "./banner/options.ts";
import { ask, supported } from "./browser.ts";
import type { Check, CheckOptions } from "./check/options.ts";
import type { Core } from "./core.ts";
import { agreed, assign, register, retire, sync, unregister } from "./device.ts";
import { TidingsError } from "./errors.ts";
import { emit, hear, on, type WebPushState } from "./events.ts";
import { dismissals } from "./kept.ts";
import { part, showBanner } from "./ondemand.ts";
import { flush, setTags, track as trackNow } from "./outbox.ts";
import { origin, setOptions, setUser, user, worker, type Options } from "./options.ts";
import type { Bell, BellOptions, Place, PreferencesOptions, Switches, TopicsChange } from "./panels/options.ts";
import { wish } from "../shared/store.ts";
import { send, type User } from "../shared/upload.ts";

declare const __VERSION__: string;

export type { Banner, BannerEvent, BannerOptions, BannerState, Texts } from "./banner/options.ts";
export type { Check, CheckOptions } from "./check/options.ts";
export { TidingsError } from "./errors.ts";
export { on, type Clicked, type Events, type Received, type WebPushState } from "./events.ts";
export type { Options } from "./options.ts";
export type { Bell, BellOptions, Counts, FeedItem, Place, PreferencesOptions, Switches, TopicsChange } from "./panels/options.ts";
export type { User } from "../shared/upload.ts";

export const version: string = __VERSION__;

/** Why the last attempt did not succeed; undefined when it did. */
export let lastError: TidingsError | undefined;

const PATIENCE = 60_000;

const WHY = {
  unsupported:
    "No push. iPhones need the Home Screen, all https.",
  denied:
    "Blocked. Allow them at the padlock, then reload.",
  undecided: "Nobody answered. Ask from a click.",
};

let told: WebPushState | undefined;

function tell(state: WebPushState): WebPushState {
  if (state !== told) {
    told = state;
    emit("change", state);
  }
  return state;
}

function failed(cause: unknown): TidingsError {
  return (lastError = cause instanceof TidingsError ? cause : new TidingsError("failed", String(cause), cause));
}

function refused(state: keyof typeof WHY): WebPushState {
  failed(new TidingsError(state, WHY[state]));
  return tell(state);
}

/** Run one thing after the other, and note how it ended; gives the error, if there was one. */
let last: Promise<unknown> = Promise.resolve();
function inTurn(work: () => Promise<unknown>): Promise<TidingsError | undefined> {
  const done = last.then(work).then(() => (lastError = undefined), failed);
  last = done;
  return done;
}

let begun: Promise<WebPushState> | undefined;

/** Set up this page. It never asks for permission; where that was given before, it brings server and browser in line. */
export function init(options: Options = {}): Promise<WebPushState> {
  return (begun = begin(options));
}

async function begin(options: Options): Promise<WebPushState> {
  try {
    setOptions(options);
  } catch (cause) {
    failed(cause);
    return state();
  }
  if (!supported()) return tell("unsupported");
  hear(scope, permissionChanged);
  await changed();
  const now = await state();
  // Of a visit the first page alone: the next ones are come to from this site.
  if (now === "undecided" && !lastError && !document.referrer.startsWith(location.origin)) counted("seen");
  // What the badge counted has been read.
  if (now === "registered") navigator.clearAppBadge?.().catch(() => undefined);
  return now;
}

const scope = (): string => worker().scope;

/** Bring server and browser in line, whatever the permission is by now. */
async function changed(): Promise<void> {
  await inTurn(Notification.permission === "granted" ? () => sync().then(sent) : retire);
}

/** In the browser's settings, or by an answer: what follows from that comes first. */
const permissionChanged = (): void => void changed().then(() => last).then(state);

/** What waits to be sent must not keep a registration from having succeeded. */
const sent = (): Promise<unknown> => flush().catch(() => undefined);

/** What stands between this device and its notifications. */
export async function state(): Promise<WebPushState> {
  if (!supported()) return tell("unsupported");
  const { permission } = Notification;
  let known: unknown;
  try {
    origin();
    known = permission === "granted" && (await agreed());
  } catch (cause) {
    failed(cause);
  }
  if (permission !== "granted") return tell(permission === "denied" ? "denied" : "undecided");
  return tell(known ? "registered" : "unregistered");
}

/**
 * Ask for permission if need be, and register this device. Call it from a click: browsers ask only then.
 * A reason for any state but `registered` is in `lastError`, and in the console.
 */
export async function subscribe(): Promise<WebPushState> {
  const now = await attempt();
  // Two clicks make one attempt, and one line.
  if (lastError && lastError !== warned) console.warn(`Tidings: ${lastError.message} Tidings.check() says more.`, (warned = lastError));
  return now;
}

/** Add one to what this App counts by day: no id, no cookie, nothing is kept, and a lost one is lost. Gives the step. */
function counted<S extends string>(step: S): S {
  send(origin(), "POST", `/funnel/${step}`).catch(() => undefined);
  return step;
}

let warned: TidingsError | undefined;

async function attempt(): Promise<WebPushState> {
  if (!supported()) return refused("unsupported");
  try {
    origin();
  } catch {
    // No question whose answer would lead nowhere; the state notes why.
    return state();
  }
  // At once, while the click counts. Each click asks anew: Firefox hides a question that was not answered.
  const { permission } = Notification;
  const asked = permission === "default" ? (counted("asked"), ask().then(counted)) : Promise.resolve(permission);
  hear(scope, permissionChanged);
  const ended = asked.then(answered);
  // Nobody may ever answer; a button must not wait for that. A late answer is heard all the same.
  const patience = new Promise<"default">((resolve) => setTimeout(resolve, PATIENCE, "default"));
  return (await Promise.race([asked, patience])) === "default" ? refused("undecided") : ended;
}

let registering: Promise<unknown> | undefined;

async function answered(permission: NotificationPermission): Promise<WebPushState> {
  if (permission !== "granted") return refused(permission === "denied" ? "denied" : "undecided");
  // Two clicks make one registration.
  const mine = (registering ??= inTurn(() => register().then(sent)));
  await mine;
  if (registering === mine) registering = undefined;
  return state();
}

/** Turn this device off, here and at the server; also where the App's web push is turned off. */
export async function unsubscribe(): Promise<WebPushState> {
  if (supported(false)) {
    registering = undefined;
    await inTurn(unregister);
  }
  return state();
}

/** Say who uses this device; `token` is their id signed by your server. */
export function login(id: string, token?: string): Promise<WebPushState> {
  return become({ id, token });
}

/** Say that nobody is signed in any more; the device stays subscribed. */
export function logout(): Promise<WebPushState> {
  return become(null);
}

async function become(who: User | null): Promise<WebPushState> {
  try {
    setUser(who);
  } catch (cause) {
    throw failed(cause);
  }
  if (!supported()) return tell("unsupported");
  const error = await inTurn(async () => {
    await assign(user()?.id);
    if (Notification.permission === "granted" && (await agreed())) await register();
  });
  if (error) throw error;
  return state();
}

/** Do what may fail, and reject with the reason. */
async function done<T>(work: () => Promise<T>): Promise<T | null> {
  let given: T | null = null;
  const error = supported() ? await inTurn(async () => (given = await work())) : undefined;
  if (error) throw error;
  return given;
}

export const tags = {
  /** Set tags of this device; null takes one away. Gives all that it has; null while it is not registered: then they wait. */
  set: (changes: Record<string, string | number | boolean | null>): Promise<Record<string, string> | null> =>
    done(() => setTags(changes)),
};

/** Say that something happened on this device. Gives null, and tells nobody, while it is not registered. */
export const track = (name: string, properties: Record<string, unknown> = {}): Promise<{ id: string } | null> =>
  done(() => trackNow(name, properties));

/** The id of this device's subscription as the REST API knows it, null unless it is registered. */
export async function subscription(): Promise<{ id: string } | null> {
  const kept = (await state()) === "registered" ? await agreed() : undefined;
  return kept ? { id: kept.id } : null;
}

const core: Core = {
  version,
  settled: () => (begun ?? init()).then(() => last).then(state),
  subscribe,
  unsubscribe,
  user,
  on,
  lastError: () => lastError,
  wish: () => wish(worker().scope),
  dismissals: (next) => dismissals(origin(), next),
  check,
  supported,
  origin,
  worker,
  TidingsError,
};

/**
 * Show "Enable push notifications" at the top of the page, to those who may be asked. The browser's own question comes
 * only after a click on it.
 */
export function banner(options: BannerOptions = {}): Banner {
  return showBanner(core, options, failed);
}

function panel<T>(name: "bell" | "preferences" | "topics") {
  type Panel = (core: Core, what: unknown, options?: object) => T | Promise<T>;
  return async (what?: unknown, options?: object): Promise<T> => ((await part("panels"))[name] as Panel)(core, what, options);
}

/** Put the bell into an element of the page: what this person was told, with the number that they have not read. */
export const bell: (element: Place, options?: BellOptions) => Promise<Bell> = panel("bell");

/** Put this person's own switches into an element of the page: which events they hear of, where, and when not. */
export const preferences: (element: Place, options?: PreferencesOptions) => Promise<Switches> = panel("preferences");

/** What this person follows, by name; they must be signed in with a token. */
export const topics: (change?: TopicsChange) => Promise<string[]> = panel("topics");

/** Let this person hear of topics; gives all that they follow then. */
export const follow = (...follow: string[]): Promise<string[]> => topics({ follow });

/** Let this person hear of topics no longer; gives all that they follow then. */
export const unfollow = (...unfollow: string[]): Promise<string[]> => topics({ unfollow });

/** Find out what is wrong with this site's set-up; prints it to the console. */
export async function check(options: CheckOptions = {}): Promise<Check[]> {
  return (await part("check")).run(core, options);
}
