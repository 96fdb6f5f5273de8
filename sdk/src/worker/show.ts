/** Show a push. Nothing that goes wrong may keep something from being shown. */
import { firstShown } from "../shared/store.ts";
import { parsed, type Kept } from "./payload.ts";
import { report } from "./receipts.ts";
import { tell } from "./tell.ts";

declare const self: ServiceWorkerGlobalScope;

export async function show(message: PushMessageData | null): Promise<void> {
  const { title, options, kept, badge } = parsed(message, self.location.host);
  try {
    await self.registration.showNotification(title, options);
  } catch {
    // Some browsers throw at an option they do not know: once more with words alone.
    const { body = "", tag = "", data } = options;
    await self.registration.showNotification(title, { body, tag, data });
  }
  const { delivery, url, data } = kept;
  await Promise.allSettled([setBadge(badge), shown(kept), tell("received", { delivery, title, url, data })]);
}

async function shown({ delivery, token }: Kept): Promise<void> {
  if (await firstShown(self.registration.scope, delivery)) await report({ delivery, token, event: "shown" });
}

async function setBadge(count: number | undefined): Promise<void> {
  if (count === undefined || !("setAppBadge" in navigator)) return;
  await (count ? navigator.setAppBadge(count) : navigator.clearAppBadge());
}
