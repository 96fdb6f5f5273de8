/** Who else is there: the server, the worker at our scope, other push services. */
import { pushUrl } from "../../shared/config.ts";
import { textFrom } from "../../shared/keys.ts";
import { device } from "../../shared/store.ts";
import type { Core } from "../core.ts";
import { within } from "../errors.ts";
import { hello } from "../worker.ts";
import { bad, good, unknown, type Finding } from "./options.ts";

const ANSWERING = 10;

/** What a page's own policy stopped while something was tried. */
async function blocked(tried: () => Promise<void>): Promise<string | undefined> {
  let found: string | undefined;
  const hear = ({ effectiveDirective }: SecurityPolicyViolationEvent): void => void (found = effectiveDirective);
  document.addEventListener("securitypolicyviolation", hear);
  await tried().catch(() => undefined);
  // The event comes a task after the refusal.
  await new Promise((resolve) => setTimeout(resolve));
  document.removeEventListener("securitypolicyviolation", hear);
  return found;
}

export function configured(core: Core): Finding {
  try {
    const { server, app } = core.origin();
    return good(`The SDK serves the App ${app} of ${server}.`);
  } catch (cause) {
    return bad("The SDK knows no server and no App.", (cause as Error).message);
  }
}

/** A page is told no more than that a call failed; what else gets through says why. */
export async function server(core: Core): Promise<Finding> {
  const { server: address } = core.origin();
  const url = `${pushUrl(core.origin())}/vapid-key`;
  let answer: Response | undefined;
  const directive = await blocked(async () => void (answer = await within(address, fetch(url, { credentials: "omit" }), ANSWERING)));
  if (answer) return read(answer, address);
  if (directive) return bad(`The page's Content-Security-Policy forbids calls to ${address}.`, `Add to the policy: ${directive} ${new URL(address).origin}`);
  const reached = await within(address, fetch(url, { mode: "no-cors", credentials: "omit" }), ANSWERING).then(() => true, () => false);
  if (reached) {
    return bad(`${address} answers, but not to pages of ${location.origin}.`, `Let the site in: tidings app allow ${location.origin}`);
  }
  if (location.protocol === "https:" && address.startsWith("http:")) {
    return bad(`${address} is not on https, and browsers call nothing else from an https page.`, "Give the server a certificate, and load sdk.js from its https address.");
  }
  const script = await within(address, import(`${pushUrl(core.origin())}/check.js`), ANSWERING).then(() => true, () => false);
  if (script) return bad(`Scripts of ${address} load, but calls to it are stopped: an ad-blocker or a firewall does so.`, "Turn the ad-blocker off for this site, or serve Tidings under a name of the site's own.");
  return bad(`${address} does not answer.`, "Check that it runs, that its name resolves and that its certificate is good; an ad-blocker may also stop it.");
}

async function read(answer: Response, address: string): Promise<Finding> {
  const body = (await answer.json().catch(() => undefined)) as { public_key?: string; detail?: string; mend?: string } | undefined;
  if (answer.ok && body?.public_key) return good(`${address} answers, and lets this site in.`);
  if (body?.detail) return bad(body.detail, body.mend ?? "");
  return bad(`${address} answers ${answer.status}, and not as Tidings does.`, "Check its address, and what stands before it.");
}

/** What is registered at our scope. */
export async function worker(core: Core): Promise<Finding> {
  if (!core.supported()) return unknown("There are no service workers here.");
  const { url, scope } = core.worker();
  const found = await within("The browser", navigator.serviceWorker.getRegistration(scope), ANSWERING);
  const script = (found?.active ?? found?.waiting ?? found?.installing)?.scriptURL;
  if (!found || found.scope !== scope || !script) return unknown(`No worker is registered at ${scope} yet; subscribe() does so.`);
  const { pathname } = new URL(script);
  const line = `importScripts("${pushUrl(core.origin())}/service-worker.js");`;
  if (await hello(found.active)) return good(`The worker ${pathname} at ${scope} has ours in it.`);
  if (!found.active) return unknown(`The worker ${pathname} is still being installed.`, "Run this again in a moment.");
  if (pathname === new URL(url).pathname) {
    return bad(`The worker ${pathname} does not answer as ours does: pushes would show nothing.`, `Put at the top of ${pathname}: ${line}`);
  }
  return bad(
    `The worker ${pathname} at ${scope} is not ours.`,
    `If it is the site's own, put at its top: ${line} Or give ours a folder: Tidings.init({ serviceWorker: { path: "/push/tidings-sw.js" } }). Another push service's is replaced when a person subscribes.`,
  );
}

/** Another push service that is still subscribed on this device tells people everything twice. */
export async function otherPush(core: Core): Promise<Finding> {
  if (!core.supported()) return unknown("There is no push here.");
  const all = await within("The browser", navigator.serviceWorker.getRegistrations(), ANSWERING);
  const others: string[] = [];
  for (const { scope, pushManager } of all) {
    const subscription = await pushManager.getSubscription();
    const [key, kept] = [textFrom(subscription?.options.applicationServerKey), await device(scope)];
    if (subscription && (!kept || kept.key !== key)) others.push(scope);
  }
  if (!others.length) return good("No other push service has a subscription on this site.");
  return bad(
    `Another push service has a subscription on this site, at ${others.join(", ")}.`,
    "Take its script off the site. At our own scope it is taken over; elsewhere, unregister its worker.",
  );
}
