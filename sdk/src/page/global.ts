/** The global `Tidings` of a page that loads sdk.js with a script tag: all that the ES module exports. */
import {
  banner,
  bell,
  check,
  init,
  lastError,
  login,
  logout,
  on,
  preferences,
  state,
  subscribe,
  subscription,
  tags,
  TidingsError,
  track,
  unsubscribe,
  version,
} from "./index.ts";

const all = {
  banner,
  bell,
  check,
  init,
  get lastError() {
    return lastError;
  },
  login,
  logout,
  on,
  preferences,
  state,
  subscribe,
  subscription,
  tags,
  TidingsError,
  track,
  unsubscribe,
  version,
};

Object.assign(globalThis, { Tidings: all });
