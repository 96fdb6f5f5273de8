/** The service worker: shows every push, opens the right page, reports what happened. It never touches fetch. */
import { clicked, closed } from "./click.ts";
import { changed } from "./change.ts";
import { flush } from "./receipts.ts";
import { show } from "./show.ts";
import { SYNC, type Worker } from "./surroundings.ts";
import { whose } from "./tell.ts";

declare const __VERSION__: string;
declare const self: Worker;

function on<E extends ExtendableEvent>(name: string, work: (event: E) => unknown): void {
  self.addEventListener(name, (event) => (event as E).waitUntil(work(event as E) as Promise<unknown>));
}

/**
 * Whether this worker is the site's own, which decides itself when it takes over: it says so, or there is none before
 * it but itself. A file that holds nothing but ours is known by its name.
 */
function waits(): boolean {
  const { href, pathname } = self.location;
  const ours = /\/(tidings-sw|push\/service-worker)\.m?js$/.test(pathname);
  return self.__tidingsKeepWaiting ?? (!ours && (self.registration.active?.scriptURL ?? href) === href);
}

// Imported twice, every push would come twice.
if (!self.__tidingsHere) {
  self.__tidingsHere = true;
  on("install", () => waits() || self.skipWaiting());
  on("activate", () => waits() || self.clients.claim());
  on<PushEvent>("push", ({ data }) => show(data));
  on<NotificationEvent>("notificationclick", clicked);
  on<NotificationEvent>("notificationclose", closed);
  on<ExtendableEvent & { newSubscription?: PushSubscription | null }>("pushsubscriptionchange", changed);
  on<ExtendableEvent & { tag: string }>("sync", ({ tag }) => tag === SYNC && flush(true));
  // A page says hello on a visit: it learns who we are, and receipts that wait may go.
  on<ExtendableMessageEvent>("message", async ({ data, ports }) => {
    if (data?.tidings !== "hello") return;
    ports[0]?.postMessage({ tidings: "hello", version: __VERSION__, ...(await whose()) });
    await flush();
  });
}
