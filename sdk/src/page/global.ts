/** The global `Tidings` of a page that loads sdk.js with a script tag: all that the ES module exports. */
import {
  banner,
  bell,
  check,
  follow,
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
  topics,
  track,
  unfollow,
  unsubscribe,
  version,
} from "./index.ts";

const all = {
  banner,
  bell,
  check,
  follow,
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
  topics,
  track,
  unfollow,
  unsubscribe,
  version,
};

Object.assign(globalThis, { Tidings: all });
