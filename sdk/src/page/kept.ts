/** What the page alone keeps in the browser. */
import type { Origin } from "../shared/config.ts";
import { change } from "../shared/store.ts";
import type { Dismissals } from "./core.ts";

const of = (what: string, { server, app }: Origin): string => `${what} ${server} ${app}`;

/** How often the banner of an App was put away here. */
export const dismissals = (
  origin: Origin,
  next: (old: Dismissals | undefined) => Dismissals | undefined,
): Promise<Dismissals | undefined> => change(of("banner", origin), next);

/** What is still to be told to the server. */
export interface Waiting {
  id: string;
  path: "/tags" | "/events";
  told: Record<string, unknown>;
  /** Who was signed in when it happened: it is not told of whoever is next. */
  user?: string | undefined;
}

export const waiting = async (origin: Origin, next: (old: Waiting[]) => Waiting[]): Promise<Waiting[]> =>
  (await change<Waiting[]>(of("waiting", origin), (old = []) => next(old))) ?? [];

/** The path of a worker that has ours in it: of the site's own by its scope, of ours by its address. */
export const accepted = (of: string, path?: string): Promise<string | undefined> =>
  change<string>(`worker ${of}`, (old) => path ?? old);
