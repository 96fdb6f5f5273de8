/** The global `Tidings` of a page that loads sdk.js with a script tag. */
import * as Tidings from "./index.ts";

(globalThis as typeof globalThis & { Tidings?: typeof Tidings }).Tidings = Tidings;
