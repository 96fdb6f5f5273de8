/** Show a push. Nothing that goes wrong may keep something from being shown. */
import { firstShown } from "../shared/store.ts";
import { parsed } from "./payload.ts";
import { report } from "./receipts.ts";
import { tell } from "./tell.ts";

declare const self: ServiceWorkerGlobalScope;

export async function show(data: PushMessageData | null): Promise<void> {
  const { title, options, kept, badge } = parsed(data, self.location.host);
  try {
    await self.registration.showNotification(title, options);
  } catch {
    // Some browsers throw at an option they do not know: once more with words alone.
    const { body, tag, data } = options;
    await self.registration.showNotification(title, { body: body ?? "", data, ...(tag ? { tag } : {}) });
  }
  await Promise.allSettled([setBadge(badge), shown(kept.delivery, kept.token), tell("received", { title, ...kept })]);
}

async function shown(delivery: string, token: string): Promise<void> {
  if (!delivery) return;
  const first = await firstShown(delivery).catch(() => true);
  if (first) await report({ delivery, token, event: "shown" });
}

async function setBadge(count: number | undefined): Promise<void> {
  if (count === undefined || !("setAppBadge" in navigator)) return;
  await (count ? navigator.setAppBadge(count) : navigator.clearAppBadge());
}
