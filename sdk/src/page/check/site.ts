/** What the site serves: its policy, and the worker's file with its headers. */
import { pushUrl } from "../../shared/config.ts";
import type { Core } from "../core.ts";
import { bad, good, unknown, type Finding } from "./options.ts";
import { forbidsOurPolicy, isAllowed, policiesFrom } from "./policy.ts";

interface Need {
  directive: string;
  url: string;
  what: string;
}

function judged(policies: ReturnType<typeof policiesFrom>, needs: Need[], whose: string): Finding {
  const missing = needs.filter(({ directive, url }) => policies.some((one) => isAllowed(one, directive, url, location.href) === false));
  if (missing.length) {
    const added = missing.map(({ directive, url }) => `${directive} ${new URL(url).origin === location.origin ? "'self'" : new URL(url).origin}`);
    return bad(
      `${whose} Content-Security-Policy forbids ${missing.map(({ what }) => what).join(", ")}.`,
      `Add to the policy: ${[...new Set(added)].join("; ")}`,
    );
  }
  if (policies.some(forbidsOurPolicy)) {
    return bad(`${whose} Content-Security-Policy requires Trusted Types and does not allow our policy.`, "Add tidings to the names after trusted-types.");
  }
  return good(policies.length ? `${whose} Content-Security-Policy lets us in.` : `${whose} answer has no Content-Security-Policy.`);
}

/** The page's policy: its header, fetched once more, and its meta elements. */
export async function policy(core: Core): Promise<Finding> {
  const base = pushUrl(core.origin());
  const metas = [...document.querySelectorAll<HTMLMetaElement>('meta[http-equiv="Content-Security-Policy" i]')].map(({ content }) => content);
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => undefined);
  const policies = [answer?.headers.get("content-security-policy") ?? null, ...metas].flatMap(policiesFrom);
  const found = judged(
    policies,
    [
      { directive: "script-src-elem", url: `${base}/banner.js`, what: "the SDK's scripts" },
      { directive: "connect-src", url: `${base}/subscribe`, what: "calls to your Tidings server" },
      { directive: "worker-src", url: core.worker().url, what: "the service worker" },
    ],
    "The page's",
  );
  return answer || found.ok === false ? found : unknown("The page could not be fetched again, so its headers are not known.");
}

const fetched = (url: string): Promise<Response | undefined> =>
  fetch(url, { cache: "no-store", redirect: "manual", headers: { "service-worker": "script" } }).catch(() => undefined);

/** The worker's file, as a browser would fetch it. */
export async function workerFile(core: Core): Promise<Finding> {
  const { url } = core.worker();
  const put = `Put a file there that holds: importScripts("${pushUrl(core.origin())}/service-worker.js");`;
  if (new URL(url).origin !== location.origin) return bad(`The worker ${url} is on another origin, which browsers refuse.`, "Give a path on this site.");
  const answer = await fetched(url);
  if (!answer) return bad(`${url} could not be fetched.`, put);
  if (answer.type === "opaqueredirect") return bad(`${url} is redirected, which browsers refuse for a worker.`, `Serve the file at exactly this address. ${put}`);
  if (!answer.ok) return bad(`${url} answers ${answer.status}.`, put);
  const type = answer.headers.get("content-type") ?? "";
  if (!/^\s*(text|application)\/(x-)?(java|ecma)script\b/i.test(type)) {
    const isPage = /html/i.test(type) || /^\s*</.test(await answer.text());
    const what = isPage ? "an HTML page, as sites do that answer every address with their start page" : `${type || "no type"}`;
    return bad(`${url} is served as ${what}, not as JavaScript.`, `Serve it with Content-Type: text/javascript. ${put}`);
  }
  const caching = answer.headers.get("cache-control") ?? "";
  const kept = Number(/max-age=(\d+)/.exec(caching)?.[1] ?? 0);
  if (kept > 86_400) return unknown(`${url} may be kept for ${Math.round(kept / 86_400)} days.`, "Serve it with Cache-Control: no-cache, so that changes get through at once.");
  return good(`${url} is there, as JavaScript.`);
}

/** A policy sent with the worker's file holds inside the worker. */
export async function workerPolicy(core: Core): Promise<Finding> {
  const base = pushUrl(core.origin());
  const answer = await fetched(core.worker().url);
  const policies = policiesFrom(answer?.headers.get("content-security-policy") ?? null);
  if (policies.some((one) => one.has("require-trusted-types-for"))) {
    return bad(
      "The worker file's Content-Security-Policy requires Trusted Types, so importScripts() throws in it.",
      "Send this file without require-trusted-types-for.",
    );
  }
  return judged(
    policies,
    [
      { directive: "script-src", url: `${base}/service-worker.js`, what: "importScripts of ours" },
      { directive: "connect-src", url: `${base}/receipts`, what: "receipts to your Tidings server" },
    ],
    "The worker file's",
  );
}

/** A worker may have no wider scope than its folder, unless its file's header allows it. */
export async function scope(core: Core): Promise<Finding> {
  const { url, scope: asked } = core.worker();
  const wanted = new URL(asked).pathname;
  if (new URL(asked).origin !== location.origin) return bad(`The scope ${asked} is on another origin.`, "Give a path on this site.");
  const header = (await fetched(url))?.headers.get("service-worker-allowed");
  const widest = header ? new URL(header, url).pathname : new URL(".", url).pathname;
  if (wanted.startsWith(widest)) return good(`The scope ${wanted} is within ${widest}.`);
  return bad(
    `The scope ${wanted} is wider than ${widest}, where the worker's file is.`,
    `Move the file to ${wanted}, or serve it with Service-Worker-Allowed: ${wanted}.`,
  );
}
