/** The service worker: shows every push, opens the right page, reports what happened. It never touches fetch. */
import { clicked, closed } from "./click.ts";
import { changed } from "./change.ts";
import { show } from "./show.ts";

declare const self: ServiceWorkerGlobalScope & { __tidingsKeepWaiting?: boolean };

if (!self.__tidingsKeepWaiting) {
  self.addEventListener("install", () => void self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
}
self.addEventListener("push", (event) => event.waitUntil(show(event.data)));
self.addEventListener("notificationclick", (event) => event.waitUntil(clicked(event)));
self.addEventListener("notificationclose", (event) => event.waitUntil(closed(event)));
self.addEventListener("pushsubscriptionchange", (event) => (event as ExtendableEvent).waitUntil(changed(event as PushChange)));

interface PushChange extends ExtendableEvent {
  readonly newSubscription?: PushSubscription | null;
}
