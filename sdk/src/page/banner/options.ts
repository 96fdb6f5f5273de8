/** What a page may say about the banner, and what it is told. */
import type { Texts } from "./texts/texts.ts";

export type { Texts } from "./texts/texts.ts";

/**
 * `loading`, then `hidden` (this person is not asked; `reason` says why) or what is shown: `question`, `working`,
 * `failed` (`reason` is the error's code), `denied`, `install`, `done`; `closed` in the end.
 */
export type BannerState = "loading" | "hidden" | "question" | "working" | "failed" | "denied" | "install" | "done" | "closed";

export interface BannerOptions {
  /** Days for which it stays away after the first, second, ... "Not now"; the last counts for all that follow. */
  backoff?: number[] | undefined;
  /** Show it now, also to who put it away or turned notifications off: for a link that the person pressed. */
  force?: boolean | undefined;
  /** Where notifications are blocked, say how to allow them again; otherwise nothing is shown then. */
  whenDenied?: boolean | undefined;
  /** A BCP 47 tag; otherwise the first of the browser's languages that there is. */
  language?: string | undefined;
  /** Your own words instead of ours. `{site}` and `{host}` are filled in. */
  texts?: Partial<Record<keyof Texts, string | undefined>> | undefined;
  /** What `{site}` becomes; otherwise the page's own name of the site, or its host. */
  site?: string | undefined;
  /** `page` pushes the content down and scrolls away with it, `over` floats above it. */
  position?: "page" | "over" | undefined;
  /** `auto` follows the background of the page. */
  theme?: "auto" | "light" | "dark" | undefined;
}

export interface Banner {
  readonly state: BannerState;
  /** Why it is hidden, failed or closed. */
  readonly reason: string | undefined;
  close(): void;
}

export interface BannerEvent {
  state: BannerState;
  reason: string | undefined;
}
