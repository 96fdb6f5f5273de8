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
