/** Whether a person is asked now. */
import { servedBy } from "../../shared/config.ts";
import type { Core, Dismissals } from "../core.ts";
import type { WebPushState } from "../events.ts";
import type { BannerOptions } from "./options.ts";
import { isIos, isTooOld, surroundings } from "./surroundings.ts";

const A_DAY = 86_400_000;
const BACKOFF = [3, 7, 30];

/** Why the banner is not shown; undefined if it is. */
export async function whyNot(core: Core, options: BannerOptions, state: WebPushState): Promise<string | undefined> {
  if (state === "registered") return "registered";
  if (servedBy().off) return "web_push_off";
  if (state === "unsupported" && !(await isInstallable(core))) return "unsupported";
  if (options.force) return undefined;
  if (state === "denied" && !options.whenDenied) return "denied";
  const wish = await core.wish();
  if (wish === "off") return "turned_off";
  // They have said yes, and each visit tries again by itself.
  if (state === "unregistered" && wish === "on") return "retrying";
  const kept = await core.dismissals((old) => old);
  return kept && isAway(kept, options.backoff ?? BACKOFF, Date.now()) ? "dismissed" : undefined;
}

/** Whether the days after the last dismissal are not over; a clock that was set back counts as over. */
export function isAway({ times, last }: Dismissals, backoff: number[], now: number): boolean {
  const days = backoff[Math.min(times, backoff.length) - 1] ?? 0;
  return Math.abs(now - last) < days * A_DAY;
}

/** A tab on an iPhone or iPad has no push, but the page can be put on the Home Screen. */
async function isInstallable(core: Core): Promise<boolean> {
  const around = surroundings();
  if (!isIos(around) || around.standalone || isTooOld(around) || !isSecureContext || window.top !== window) return false;
  if (document.querySelector('link[rel~="manifest"]')) return true;
  await core.check({ only: ["manifest"] });
  return false;
}
