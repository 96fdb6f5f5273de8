/** How this page is set up: what `init` was given, and what the script's own server says. */
import { servedBy, type Origin } from "../shared/config.ts";
import type { User } from "../shared/upload.ts";
import { TidingsError } from "./errors.ts";

export interface Options {
  /** Address of the Tidings server; known already when the script comes from it. */
  server?: string | undefined;
  /** Id of the App; known already likewise. */
  app?: string | undefined;
  serviceWorker?: { path?: string | undefined; scope?: string | undefined; type?: WorkerType | undefined } | undefined;
  /** The signed-in person, null when nobody is; left out, it is who it was before. */
  user?: User | null | undefined;
}

let options: Options = {};

/** Take new options; those that are left out stay as they were. Throws `invalid_user`. */
export function setOptions({ user, ...given }: Options): void {
  options = { ...options, ...given };
  if (user !== undefined) setUser(user);
}

export function user(): User | null | undefined {
  return options.user;
}

export function setUser(user: User | null): void {
  // "undefined" would be a person that every visitor is.
  if (user && (user.id ?? "") === "") {
    throw new TidingsError("invalid_user", "A user needs an id.");
  }
  options.user = user && { ...user, id: String(user.id) };
}

/** The server and the App. Throws `not_configured`. */
export function origin(): Origin {
  const served = servedBy();
  const [server, app] = [options.server ?? served.server, options.app ?? served.app];
  try {
    if (server && app) return { server: new URL(server, location.href).href.replace(/\/+$/, ""), app };
  } catch {
    // Not a URL.
  }
  throw new TidingsError("not_configured", "Load sdk.js from your Tidings server, or call Tidings.init({ server, app }).");
}

/** Where the worker is: absolute URLs. A page of the Tidings server itself needs no file of its own. */
export function worker(): { url: string; scope: string; type: WorkerType | undefined } {
  const own = new URL(origin().server).origin === location.origin;
  const { path, scope, type } = options.serviceWorker ?? {};
  const url = new URL(path ?? (own ? "/push/service-worker.js" : "/tidings-sw.js"), location.href);
  return { type, url: url.href, scope: scope || (own && !path) ? new URL(scope || "/", location.href).href : new URL(".", url).href };
}
