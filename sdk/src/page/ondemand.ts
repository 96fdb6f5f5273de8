/** Parts of the SDK that are loaded when they are first used: the banner and the conflict detector. */
import { pushUrl } from "../shared/config.ts";
import type { Banner, BannerOptions, BannerState } from "./banner/options.ts";
import type { Core } from "./core.ts";
import type * as Panels from "./panels/index.ts";
import { TidingsError, within } from "./errors.ts";
import { currentKey } from "./device.ts";
import { emit } from "./events.ts";
import { origin } from "./options.ts";

/** Whether this is sdk.js, whose parts the server serves, and the hash of their content; in the ES module they lie beside it. */
declare const __SERVED__: boolean;
declare const __PARTS__: string;

interface Parts {
  banner: typeof import("./banner/index.ts");
  check: typeof import("./check/index.ts");
  panels: typeof Panels;
}

/** Load a part, once. */
export async function part<P extends keyof Parts>(name: P): Promise<Parts[P]> {
  const address = __SERVED__ ? `${pushUrl(origin())}/${name}.js?v=${__PARTS__}` : `./${name}.js`;
  const loading = __SERVED__ ? import(address) : name === "banner" ? import("./banner/index.ts") : name === "check" ? import("./check/index.ts") : import("./panels/index.ts");
  return within(`Loading ${address}`, loading).catch(async (cause: unknown) => {
    // A server that does not answer is the first cause, and throws as such.
    await currentKey();
    throw new TidingsError("part_failed", `${address} did not load. A CSP or ad-blocker?`, cause);
  });
}

let current: Banner | undefined;

/** Show the banner if this person should be asked; what comes of it is in the handle and in the event `banner`. */
export function showBanner(core: Core, options: BannerOptions, failed: (cause: unknown) => TidingsError): Banner {
  // One at a time: whoever calls twice gets the one that is there.
  if (current && current.state !== "hidden" && current.state !== "closed") return current;
  let ended = false;
  const banner: Banner = { state: "loading", reason: undefined, close: () => turn("closed", "page") };
  const turn = (state: BannerState, reason?: string): void => {
    if (ended) return;
    ended = state === "hidden" || state === "closed";
    const detail = { state, reason };
    Object.assign(banner, detail);
    emit("banner", detail);
  };
  current = banner;
  part("banner")
    .then(({ open }) => open(core, options, banner, turn))
    .catch((cause: unknown) => turn("hidden", failed(cause).code));
  return banner;
}
