/** The bell with its feed, and the person's own switches. */
import type { Core } from "../core.ts";
import { BellView } from "./bell.ts";
import { placed } from "./dom.ts";
import { around, frame } from "./frame.ts";
import type { Bell, BellOptions, Place, PreferencesOptions, Switches } from "./options.ts";
import { SwitchesView } from "./switches.ts";

export { topics } from "./topics.ts";
export type { Bell, BellOptions, Counts, FeedItem, Place, PreferencesOptions, Switches } from "./options.ts";

/** Put the bell into an element of the page. */
export function bell(core: Core, place: Place, options: BellOptions = {}): Bell {
  return new BellView(around(core, options), placed(place));
}

/** Put the person's switches into an element of the page. */
export function preferences(core: Core, place: Place, options: PreferencesOptions = {}): Switches {
  const here = around(core, options);
  const { host, inside } = frame("tidings-preferences", "switches", here);
  const view = new SwitchesView(here);
  inside.append(view.element);
  placed(place).append(host);
  return {
    remove: () => {
      view.remove();
      host.remove();
    },
  };
}
