/** Receipts: kept until the server has them. */
import { pushUrl, servedBy, type Origin } from "../shared/config.ts";
import { addReceipt, device, dropReceipt, receipts, type Receipt } from "../shared/store.ts";

export async function report(receipt: Receipt): Promise<void> {
  await addReceipt(receipt);
  await flush();
}

/** Send what waits; what the server refuses for good is dropped, what fails on the way is kept for the next event. */
export async function flush(): Promise<void> {
  const origin = { ...servedBy(), ...(await device()) };
  if (!origin.server || !origin.app) return;
  for (const receipt of await receipts()) {
    if (!(await sent(origin as Origin, receipt))) return;
    await dropReceipt(receipt);
  }
}

async function sent(origin: Origin, receipt: Receipt): Promise<boolean> {
  try {
    const answer = await fetch(`${pushUrl(origin)}/receipts`, {
      method: "POST",
      mode: "cors",
      credentials: "omit",
      keepalive: true,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(receipt),
    });
    return answer.status < 500 && answer.status !== 429;
  } catch {
    return false;
  }
}
