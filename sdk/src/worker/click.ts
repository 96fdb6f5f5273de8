/** What a person does with a notification: click it, press a button, close it. */
import { pushUrl, type Origin } from "../shared/config.ts";
import { keptIn } from "./payload.ts";
import { report } from "./receipts.ts";
import { tell, whose } from "./tell.ts";
import { safeUrl } from "./url.ts";

declare const self: ServiceWorkerGlobalScope;
declare const Notification: { readonly maxActions?: number };

/** Firefox calls a notification closed also when it was clicked; only a dismissed one is. */
export const done = new Set<string>();

export async function clicked({ notification, action: pressed = "" }: NotificationEvent): Promise<void> {
  const kept = keptIn(notification);
  if (!kept) return;
  const { delivery, token, url, data, actions } = kept;
  // Firefox adds "-moz" to the keys of buttons on some desktops.
  const named = (name: string) => actions.find(({ id }) => id === name);
  const action = named(pressed) ?? named(pressed.replace(/-moz$/, ""));
  done.add(delivery);
  notification.close();
  const answer = action ? { action: action.id } : {};
  const answered = action && !action.url;
  const to = (action ?? kept).url;
  // Where notifications show no buttons, a question that leads nowhere is asked on a page of ours.
  const page =
    to || Notification.maxActions || actions.every((one) => one.url)
      ? safeUrl(to, self.location)
      : `${pushUrl((await whose()) as Origin)}/answers/${delivery}/${token}`;
  // The page first: a browser allows it only right after the click, and waits for no network.
  await Promise.allSettled([
    answered ? undefined : go(page),
    report({ delivery, token, event: answered ? "answered" : "clicked", ...answer }),
    tell("clicked", { delivery, title: notification.title, url, data, ...answer }),
  ]);
}

export async function closed({ notification }: NotificationEvent): Promise<void> {
  const kept = keptIn(notification);
  if (!kept || done.delete(kept.delivery)) return;
  // Nor is one that a newer message has replaced.
  const open = await self.registration.getNotifications({ tag: notification.tag });
  if (open.some((one) => keptIn(one)?.delivery !== kept.delivery)) return;
  await report({ delivery: kept.delivery, token: kept.token, event: "closed" });
}

/** Bring a window to the front that shows the page, else lead one of ours there, else open one. */
async function go(url: string): Promise<void> {
  const { clients, location } = self;
  const [all, controlled] = await Promise.all(
    [true, false].map((includeUncontrolled) => clients.matchAll({ type: "window", includeUncontrolled })),
  );
  const ours = controlled?.find(({ frameType }) => frameType !== "nested");
  // A page of another site gets a window of its own.
  const there = all?.find((page) => page.url === url) ?? (url.startsWith(`${location.origin}/`) ? ours : undefined);
  try {
    if (there) {
      await there.focus();
      return there.url === url ? undefined : await lead(there, url);
    }
  } catch {
    // A window that may not come to the front is as good as none.
  }
  await clients.openWindow(url).catch(() => lead(ours ?? all?.[0], url));
}

/** A browser lets a worker lead only pages that it controls; with our SDK the others lead themselves. */
async function lead(page: WindowClient | undefined, url: string): Promise<void> {
  await page?.navigate(url).catch(() => page.postMessage({ tidings: "go", url }));
}
