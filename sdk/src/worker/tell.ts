/** Tell the site's open pages. */
declare const self: ServiceWorkerGlobalScope;

export async function tell(event: string, detail: unknown): Promise<void> {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  for (const page of pages) page.postMessage({ tidings: event, detail });
}
