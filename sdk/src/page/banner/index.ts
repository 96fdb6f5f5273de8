/** The banner "Enable push notifications": who is asked, when, and what follows each answer. */
import type { Core } from "../core.ts";
import { whyNot } from "./decide.ts";
import type { Banner, BannerOptions, BannerState } from "./options.ts";
import { Talk } from "./talk.ts";

export type { Banner, BannerEvent, BannerOptions, BannerState, Texts } from "./options.ts";

/** Show the banner, if this person is to be asked. */
export async function open(
  core: Core,
  options: BannerOptions,
  banner: Banner,
  turn: (state: BannerState, reason?: string) => void,
): Promise<void> {
  const state = await core.settled();
  const reason = await whyNot(core, options, state);
  // The page may have closed it while it was loading.
  if (banner.state !== "loading") return;
  if (reason) return turn("hidden", reason);
  await bodyOf(document);
  const talk = new Talk(core, options, turn);
  banner.close = () => talk.end("page");
  talk.begin(state);
}

/** A script in the head may be faster than the page. */
function bodyOf(page: Document): Promise<void> {
  if (page.body) return Promise.resolve();
  return new Promise((resolve) => page.addEventListener("DOMContentLoaded", () => resolve(), { once: true }));
}
