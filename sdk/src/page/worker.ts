/** The service worker at our scope: ours, the site's own with ours in it, or somebody else's. */
import { pushUrl } from "../shared/config.ts";
import { textFrom } from "../shared/keys.ts";
import { device } from "../shared/store.ts";
import { held } from "./browser.ts";
import { rethrow, TidingsError, within } from "./errors.ts";
import { accepted } from "./kept.ts";
import { origin, worker } from "./options.ts";

const ANSWERING = 3;

/** Workers that do nothing but push, by the names that their makers gave the files. */
const VENDORS =
  /onesignal|firebase-messaging|push(-worker|pad|alert|engage|owl|woosh|crew)|(web|true|clever|wonder|perfecty-)push|izooto|aimtell|braze|notifo/i;

type Registration = ServiceWorkerRegistration;

const pathOf = (url: string): string => new URL(url).pathname;
const scriptOf = ({ active, waiting, installing }: Registration): ServiceWorker | null => active ?? waiting ?? installing;

/** What is registered at our scope, whosever it is, and the path of its script. */
async function there(): Promise<{ found?: Registration; path?: string }> {
  const { scope } = worker();
  const found = await within("The browser", navigator.serviceWorker.getRegistration(scope));
  const script = found?.scope === scope && scriptOf(found);
  return script ? { found, path: pathOf(script.scriptURL) } : {};
}

/** The registration of our worker, if there is one. */
export async function registered(): Promise<Registration | undefined> {
  const { found, path } = await there();
  const { url, scope } = worker();
  return path === pathOf(url) || (path && path === (await accepted(scope))) ? found : undefined;
}

/** Ask a worker whether ours is part of it. */
export function hello(script: ServiceWorker | null, seconds = ANSWERING): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<boolean>((resolve) => {
    port1.onmessage = ({ data }) => resolve(data?.tidings === "hello");
    script?.postMessage({ tidings: "hello" }, [port2]);
  });
  return within("The service worker", answer, seconds)
    .catch(() => false)
    .finally(() => port1.close());
}

/** Register our worker and wait until it is active. What the site has there of its own stays. */
export async function ready(key: Promise<string>): Promise<Registration> {
  const { url, scope, type = "classic" } = worker();
  const { found, path } = await there();
  const ours = pathOf(url);
  if (found && path && path !== ours) {
    if (await hello(found.active)) {
      if (await updates(found)) {
        await accepted(scope, path);
        return found;
      }
      // Its file is gone: ours takes its place.
    } else if (!VENDORS.test(path) && !(await isForeign(found, key))) throw conflict(path);
  }
  const asked = async (): Promise<Registration> =>
    navigator.serviceWorker.register(trusted(url), { scope, type, updateViaCache: "none" });
  const made = await within("The service worker", asked()).catch(
    rethrow(
      "worker_failed",
      (cause) => `The service worker ${url} could not be registered (${cause}). It must be JavaScript here.`,
    ),
  );
  await within("The service worker", active(made, url));
  // Once it has answered it is known; what will take over counts before what still runs. A busy one has the time it needs.
  if (!(await accepted(url))) {
    if (!(await hello(made.installing ?? made.waiting ?? made.active, 15))) throw conflict(ours);
    await accepted(url, ours);
  }
  return made;
}

const updates = (registration: Registration): Promise<boolean> =>
  within("The service worker", registration.update()).then(
    () => true,
    () => false,
  );

/** Whether a registration has a subscription with a key that never was ours: another push service's. */
async function isForeign(registration: Registration, key: Promise<string>): Promise<boolean> {
  const made = textFrom((await held(registration))?.options.applicationServerKey);
  return Boolean(made) && made !== (await key) && made !== (await device(worker().scope))?.key;
}

function conflict(path: string): TidingsError {
  return new TidingsError(
    "worker_conflict",
    `The service worker ${path} at ${worker().scope} does not have ours. Put at its top: ` +
      `importScripts("${pushUrl(origin())}/service-worker.js"); ` +
      `or give ours a folder: Tidings.init({ serviceWorker: { path: "/push/tidings-sw.js" } }).`,
  );
}

/** Until our script is active: another vendor's may be, while ours is being installed. */
function active(registration: Registration, url: string): Promise<void> {
  const isOurs = (one: ServiceWorker | null): boolean | null => one && pathOf(one.scriptURL) === pathOf(url);
  return new Promise((resolve, reject) => {
    if (isOurs(registration.active)) return resolve();
    const coming = [registration.installing, registration.waiting].find(isOurs);
    coming?.addEventListener("statechange", () => {
      if (coming.state === "activated") resolve();
      if (coming.state === "redundant") {
        reject(new TidingsError("worker_failed", "It did not start."));
      }
    });
  });
}

interface Policy {
  createScriptURL(url: string): string;
}

let policy: Policy | undefined;

/** A page that requires Trusted Types takes a script's URL only from a policy. */
function trusted(url: string): string {
  const { trustedTypes } = window as typeof window & { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  try {
    policy ??= trustedTypes?.createPolicy("tidings", { createScriptURL: (text) => text });
  } catch {
    // The site does not allow a policy of this name; then the browser decides.
  }
  return policy?.createScriptURL(url) ?? url;
}
