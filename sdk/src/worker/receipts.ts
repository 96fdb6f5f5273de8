/** Receipts: kept until the server has them. */
import { servedBy, type Origin } from "../shared/config.ts";
import { addReceipt, device, dropReceipt, receipts, type Receipt } from "../shared/store.ts";
import { send } from "../shared/upload.ts";

declare const self: ServiceWorkerGlobalScope;

const ANSWERING = 10_000;

/** Keep a receipt, then send all that wait. A push that was not ours has none. */
export async function report(receipt: Receipt): Promise<void> {
  if (!receipt.delivery || !receipt.token) return;
  await addReceipt(self.registration.scope, receipt);
  await flush();
}

/** One after the other: two events at once must not send the same twice. */
let last: Promise<void> = Promise.resolve();
function flush(): Promise<void> {
  return (last = last.then(sendAll));
}

/** What the server refuses for good is dropped; what fails on the way is kept for the next event. */
async function sendAll(): Promise<void> {
  const { scope } = self.registration;
  const { server, app } = (await device(scope)) ?? servedBy();
  if (!server || !app) return;
  for (const receipt of await receipts(scope)) {
    if (!(await sent({ server, app }, receipt))) return;
    await dropReceipt(scope, receipt);
  }
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
