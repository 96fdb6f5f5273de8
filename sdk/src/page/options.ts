/** How this page is set up: what `init` was given, and what the script's own server says. */
import { servedBy, type Origin } from "../shared/config.ts";
import { TidingsError } from "./errors.ts";

export interface User {
  id: string;
  token?: string | undefined;
}

export interface Options {
  /** Address of the Tidings server; known already when the script comes from it. */
  server?: string;
  /** Id of the App; known already likewise. */
  app?: string;
  serviceWorker?: { path?: string; scope?: string };
  /** The signed-in person; `token` is their id signed by your server. */
  user?: User;
}

let options: Options = {};

export function setOptions(given: Options): void {
  options = { ...options, ...given };
}

export function user(): User | undefined {
  return options.user;
}

export function setUser(next: User | undefined): void {
  const { user: _, ...rest } = options;
  options = next ? { ...rest, user: next } : rest;
}

export function origin(): Origin {
  const { server, app } = { ...servedBy(), ...options };
  if (!server || !app) {
    throw new TidingsError("not_configured", "Load sdk.js from your Tidings server, or call Tidings.init({server, app}).");
  }
  return { server, app };
}

/** Where the worker is. A page of the Tidings server itself needs no file of its own. */
export function worker(): { path: string; scope?: string } {
  const own = new URL(origin().server).origin === location.origin;
  const { path = own ? "/push/service-worker.js" : "/tidings-sw.js", scope } = options.serviceWorker ?? {};
  return scope ? { path, scope } : own && path === "/push/service-worker.js" ? { path, scope: "/" } : { path };
}
