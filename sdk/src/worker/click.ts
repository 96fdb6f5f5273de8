/** What a person does with a notification: click it, press a button, close it. */
import { keptIn } from "./payload.ts";
import { report } from "./receipts.ts";
import { tell } from "./tell.ts";
import { safeUrl } from "./url.ts";

declare const self: ServiceWorkerGlobalScope;

/** Firefox calls a notification closed also when it was clicked; only a dismissed one is. */
const done = new Set<string>();

export async function clicked({ notification, action: pressed = "" }: NotificationEvent): Promise<void> {
  const kept = keptIn(notification);
  if (!kept) return;
  const { delivery, token, url, data } = kept;
  // Firefox adds "-moz" to the keys of buttons on some desktops.
  const named = (id: string) => kept.actions.find((one) => one.id === id);
  const action = named(pressed) ?? named(pressed.replace(/-moz$/, ""));
  done.add(delivery);
  notification.close();
  const answer = action ? { action: action.id } : {};
  // The page first: a browser allows it only right after the click, and waits for no network.
  await Promise.allSettled([
    !action || action.url ? go(safeUrl(action?.url ?? url, self.location)) : undefined,
    report({ delivery, token, event: "clicked", ...answer }),
    action && !action.url ? report({ delivery, token, event: "answered", ...answer }) : undefined,
    tell("clicked", { delivery, title: notification.title, url, data, ...answer }),
  ]);
}

export async function closed({ notification }: NotificationEvent): Promise<void> {
  const kept = keptIn(notification);
  if (kept && !done.delete(kept.delivery)) await report({ delivery: kept.delivery, token: kept.token, event: "closed" });
}

async function go(url: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === url);
  try {
    if (there) {
      await there.focus();
      return;
    }
  } catch {
    // A window that may not come to the front is as good as none.
  }
  await self.clients.openWindow(url);
}
