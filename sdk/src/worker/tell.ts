/** Tell the site's open pages. */
import { servedBy, type Origin } from "../shared/config.ts";
import { device } from "../shared/store.ts";
import type { Worker } from "./surroundings.ts";

declare const self: Worker;

/** Whom this worker serves: where the device is registered, else where the script came from. */
export async function whose(): Promise<Partial<Origin> & { scope: string }> {
  const { scope } = self.registration;
  const { server, app } = (await device(scope)) ?? servedBy();
  return { server, app, scope } as Partial<Origin> & { scope: string };
}

/** A site may have the workers of two Apps: each page hears both, and tells them apart by these names. */
export async function tell(event: string, detail: unknown): Promise<void> {
  const [who, pages] = await Promise.all([whose(), self.clients.matchAll({ type: "window", includeUncontrolled: true })]);
  for (const page of pages) page.postMessage({ tidings: event, ...who, detail });
}
