/** What the worker knows of the browser around it. */
export type Worker = ServiceWorkerGlobalScope & {
  __tidingsKeepWaiting?: boolean;
  __tidingsHere?: boolean;
  readonly registration: { readonly sync?: { register(tag: string): Promise<void> } };
};

/** The tag of our Background Sync, where the browser has one. */
export const SYNC = "tidings";

/** Safari, and every browser of an iPhone: Chromium says "AppleWebKit" too. */
export const isWebKit = (): boolean => /AppleWebKit(?!.*Chrome)/.test(navigator.userAgent);
