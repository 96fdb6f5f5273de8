/** Who wants to know what: `change` with the new state, `received` and `clicked` with the notification. */
import type { BannerEvent } from "./banner/options.ts";

export type WebPushState = "unsupported" | "undecided" | "denied" | "registered" | "unregistered";

export interface Received {
  delivery: string;
  title: string;
  url: string;
  data: unknown;
}

export interface Clicked extends Received {
  /** Id of the button, if one was pressed. */
  action?: string;
}

export interface Events {
  banner: BannerEvent;
  change: WebPushState;
  received: Received;
  clicked: Clicked;
}

const listeners = new Set<[event: keyof Events, listener: (detail: never) => void]>();

/** Listen; the result ends it. */
export function on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): () => void {
  const entry: [E, typeof listener] = [event, listener];
  listeners.add(entry);
  return () => void listeners.delete(entry);
}

export function emit<E extends keyof Events>(event: E, detail: Events[E]): void {
  for (const [wanted, listener] of [...listeners]) {
    try {
      if (wanted === event) listener(detail as never);
    } catch (error) {
      // The site's own error: shown where its others are, and no reason to fail.
      globalThis.reportError?.(error);
    }
  }
}

let hearing = false;

/** Hear what the worker tells, and when the person changes the permission in the browser's settings. */
export function hear(scope: () => string, permissionChanged: () => void): void {
  if (hearing) return;
  hearing = true;
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    // A site may have two Apps, each with its worker; every page hears both.
    if ((data?.tidings === "received" || data?.tidings === "clicked") && data.scope === scope()) emit(data.tidings, data.detail);
    // After a click that found no other way to show its page: the worker could neither lead this one nor open another.
    if (data?.tidings === "go") location.assign(data.url);
  });
  navigator.permissions
    ?.query({ name: "notifications" })
    .then((status) => status.addEventListener("change", permissionChanged))
    .catch(() => undefined);
}
