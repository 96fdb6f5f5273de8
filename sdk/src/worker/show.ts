/** Show a push. Nothing that goes wrong may keep something from being shown. */
import { firstShown } from "../shared/store.ts";
import { done } from "./click.ts";
import { keptIn, parsed, type Shown } from "./payload.ts";
import { flush, keep } from "./receipts.ts";
import { isWebKit, type Worker } from "./surroundings.ts";
import { tell } from "./tell.ts";

declare const self: Worker;

/** By then a push event has ended, and the browser has seen that something was shown. */
const AFTERWARDS = 2_000;

/** A campaign reaches its audience within seconds; the receipts shall not come back all at once. */
const SPREAD = 4_000;

/** A browser may wait a minute and more for an image whose host does not answer. */
const PATIENCE = 5_000;

/** By tag, one after the other: of two copies at once the second must find the first on the screen. */
const turns = new Map<string | undefined, Promise<unknown>>();

/** Resolves as soon as the push is shown and noted: to Chromium, what a person puts away before then was never shown. */
export async function show(message: PushMessageData | null): Promise<void> {
  const push = parsed(message, self.location.host);
  const { tag } = push.options;
  const before = Promise.race([turns.get(tag), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  const shown = before.then(() => display(push));
  turns.set(tag, shown.catch(() => undefined));
  const isNews = await shown;
  await Promise.allSettled([setBadge(push.badge), isNews && note(push)]);
}

/** A delivery that was shown before alerts nobody (docs/decisions/0009); false then. */
async function display({ title, options, kept: { delivery } }: Shown): Promise<boolean> {
  const copies = await copiesOf(delivery);
  // What is open still counts as shown, but in Safari.
  if (copies?.length && !isWebKit()) return false;
  if (copies) Object.assign(options, { silent: true, renotify: false });
  await attempt(title, options);
  if (!copies) return firstShown(self.registration.scope, delivery).then(() => true);
  // Safari does not replace what has the same tag.
  putAway(copies, delivery);
  if (!copies.length) setTimeout(async () => putAway((await copiesOf(delivery)) ?? [], delivery), AFTERWARDS);
  return false;
}

/** The notifications of a delivery that are still on the screen; undefined if it was never shown. */
async function copiesOf(delivery: string): Promise<Notification[] | undefined> {
  if (!delivery || (await firstShown(self.registration.scope, delivery, true))) return undefined;
  const open = await self.registration.getNotifications().catch(() => []);
  return open.filter((one) => keptIn(one)?.delivery === delivery);
}

function putAway(copies: Notification[], delivery: string): void {
  // Nobody has closed it but us.
  done.add(delivery);
  for (const copy of copies) copy.close();
}

/** Some browsers throw at an option they do not know: then with less, at last with the title alone. */
async function attempt(title: string, options: Shown["options"]): Promise<void> {
  const { body = "", tag = "", data, silent = false } = options;
  const show = (some?: NotificationOptions): Promise<void> => self.registration.showNotification(title, some);
  await show(options)
    .catch(() => show({ body, tag, data, silent }))
    .catch(() => show());
}

async function note({ title, kept: { delivery, token, url, data } }: Shown): Promise<void> {
  await Promise.allSettled([keep({ delivery, token, event: "shown" }), tell("received", { delivery, title, url, data })]);
  // Safari may count what a push asks of the network against the site; there the next click or visit sends it.
  if (!isWebKit()) setTimeout(flush, Math.random() * SPREAD);
}

/** WebKit takes a number or its digits, so we do. None is cleared by 0. */
async function setBadge(count: unknown): Promise<void> {
  if (/^\d+$/.test(`${count}`)) await navigator.setAppBadge?.(+(count as number));
}
