/** What the page and the browser are like. */
import type { Check } from "./options.ts";

/** Before iOS 26 only a page with a manifest becomes an app on the Home Screen, and only an app gets push. */
export async function manifest(): Promise<Check> {
  const link = document.querySelector<HTMLLinkElement>('link[rel~="manifest"]');
  if (link) return { code: "manifest", ok: true, detail: `The page has a manifest, ${link.href}.`, mend: "" };
  return {
    code: "manifest",
    ok: false,
    detail: "The page has no manifest, so an iPhone or iPad cannot make an app of it, and only an app gets notifications there.",
    mend: 'Add <link rel="manifest" href="/site.webmanifest"> with a file that holds {"name": "…", "display": "standalone", "start_url": "/", "icons": […]}.',
  };
}
