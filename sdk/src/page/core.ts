/** What the parts that are loaded on demand are given of the SDK: one state, held in one place. */
import type { Origin } from "../shared/config.ts";
import type { Wish } from "../shared/store.ts";
import type { CheckOptions, Check } from "./check/options.ts";
import type { TidingsError } from "./errors.ts";
import type { on, WebPushState } from "./events.ts";
import type { User } from "../shared/upload.ts";

/** How often, and when last, a person has put the banner away. */
export interface Dismissals {
  times: number;
  last: number;
}

export interface Core {
  version: string;
  /** The state once what is under way has ended. */
  settled(): Promise<WebPushState>;
  subscribe(): Promise<WebPushState>;
  unsubscribe(): Promise<WebPushState>;
  /** Who is signed in, as far as the page has said. */
  user(): User | null | undefined;
  on: typeof on;
  lastError(): TidingsError | undefined;
  wish(): Promise<Wish | undefined>;
  dismissals(next: (old: Dismissals | undefined) => Dismissals | undefined): Promise<Dismissals | undefined>;
  check(options: CheckOptions): Promise<Check[]>;
  supported(): boolean;
  origin(): Origin;
  TidingsError: typeof TidingsError;
  worker(): { url: string; scope: string };
}
