/** Who wants to know what: `change` with the new state, `received` and `clicked` with the notification. */
export type WebPushState = "unsupported" | "undecided" | "denied" | "registered" | "unregistered";

export interface Events {
  change: WebPushState;
  received: unknown;
  clicked: unknown;
}

const listeners: { [E in keyof Events]: Set<(detail: Events[E]) => void> } = {
  change: new Set(),
  received: new Set(),
  clicked: new Set(),
};

/** Listen; the result ends it. */
export function on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): () => void {
  listeners[event].add(listener);
  return () => void listeners[event].delete(listener);
}

export function emit<E extends keyof Events>(event: E, detail: Events[E]): void {
  for (const listener of [...listeners[event]]) listener(detail);
}

let hearing = false;

/** Hear what the worker tells. */
export function hear(): void {
  if (hearing) return;
  hearing = true;
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data?.tidings === "received" || data?.tidings === "clicked") emit(data.tidings, data.detail);
  });
}
