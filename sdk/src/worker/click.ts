/** What a person does with a notification: click it, press a button, close it. */
import type { Kept } from "./payload.ts";
import { report } from "./receipts.ts";
import { tell } from "./tell.ts";
import { safeUrl } from "./url.ts";

declare const self: ServiceWorkerGlobalScope;

export async function clicked(event: NotificationEvent): Promise<void> {
  const kept = (event.notification.data ?? {}) as Partial<Kept>;
  // Firefox adds "-moz" to the keys of buttons on some desktops.
  const pressed = event.action.replace(/-moz$/, "");
  const action = kept.actions?.find(({ id }) => id === pressed || id === event.action);
  event.notification.close();
  // The page first: a browser allows it only right after the click.
  if (!action || action.url) await go(safeUrl(action?.url ?? kept.url, self.location)).catch(() => undefined);
  await Promise.allSettled([answered(kept, action?.id), tell("clicked", { ...kept, action: action?.id })]);
}

async function answered({ delivery, token }: Partial<Kept>, action: string | undefined): Promise<void> {
  if (!delivery || !token) return;
  await report({ delivery, token, event: "clicked", ...(action ? { action } : {}) });
  if (action) await report({ delivery, token, event: "answered", action });
}

export async function closed(event: NotificationEvent): Promise<void> {
  const { delivery, token } = (event.notification.data ?? {}) as Partial<Kept>;
  if (delivery && token) await report({ delivery, token, event: "closed" });
}

async function go(url: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === url);
  if (there) {
    await there.focus();
    return;
  }
  await self.clients.openWindow(url);
}
