/** Receipts: kept until the server has them. */
import { addReceipt, dropReceipt, receipts, type Receipt } from "../shared/store.ts";
import { send } from "../shared/upload.ts";
import { SYNC, type Worker } from "./surroundings.ts";
import { whose } from "./tell.ts";
import type { Origin } from "../shared/config.ts";

declare const self: Worker;

const ANSWERING = 10_000;

/** Keep a receipt until the next flush. A push that was not ours has none. */
export async function keep(receipt: Receipt): Promise<void> {
  if (receipt.delivery && receipt.token) await addReceipt(self.registration.scope, receipt);
}

/** Keep a receipt, then send all that wait. */
export async function report(receipt: Receipt): Promise<void> {
  await keep(receipt);
  await flush();
}

/** One after the other: two events at once must not send the same twice. A Background Sync fails if some still wait. */
let last: Promise<unknown> = Promise.resolve();
export async function flush(syncing?: boolean): Promise<void> {
  const done = last.then(sendAll);
  last = done;
  if (await done) return;
  if (syncing) throw Error("Receipts wait");
  // Only where a page is open; elsewhere the next event or visit sends them.
  await self.registration.sync?.register(SYNC).catch(() => undefined);
}

/** What the server refuses for good is dropped; what fails on the way is kept. */
async function sendAll(): Promise<boolean> {
  const { server, app, scope } = await whose();
  if (!server || !app) return true;
  for (const receipt of await receipts(scope)) {
    if (!(await sent({ server, app }, receipt))) return false;
    await dropReceipt(scope, receipt);
  }
  return true;
}

async function sent(origin: Origin, receipt: Receipt): Promise<boolean> {
  try {
    // Old browsers have no such signal; there their own limit has to do.
    const more = { keepalive: true, signal: AbortSignal.timeout?.(ANSWERING) ?? null };
    const { status } = await send(origin, "POST", "/receipts", receipt, more);
    return status < 500 && status !== 429;
  } catch {
    return false;
  }
}
