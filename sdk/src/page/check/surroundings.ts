/** What the page and the browser are like. */
import { isIos, surroundings } from "../banner/surroundings.ts";
import type { Core } from "../core.ts";
import { within } from "../errors.ts";
import { bad, good, unknown, type Finding } from "./options.ts";

const OPENING = 3;

export function secure(): Finding {
  if (isSecureContext) return good("The page is in a secure context.");
  return bad(`The page is at ${location.origin}, and browsers allow push on https and on localhost alone.`, "Serve the site on https.");
}

export function browser(core: Core): Finding {
  if (core.supported()) return good("The browser has service workers, push and notifications.");
  const around = surroundings();
  if (isIos(around) && !around.standalone) {
    return bad("On an iPhone or iPad only apps on the Home Screen have push, not tabs.", "Add the page to the Home Screen with Share, and open it there.");
  }
  if (/Firefox/.test(around.agent) && isSecureContext && !("serviceWorker" in navigator)) {
    return bad("Firefox has no service workers here, as in private windows.", "Try it in a normal window.");
  }
  return bad("The browser lacks service workers, push or notifications.", "Try a current Chrome, Edge, Firefox or Safari, in a normal window.");
}

export function frame(): Finding {
  if (window.top === window) return good("The page is not in a frame.");
  let isForeign = true;
  try {
    isForeign = window.top?.location.origin !== location.origin;
  } catch {
    // Another site's; the browser keeps its address from us.
  }
  if (!isForeign) return good("The page is in a frame of its own site.");
  return bad("The page is in a frame of another site, where browsers do not ask for permission.", "Open the page by itself, in a tab of its own.");
}

/** Private windows forbid the database, or keep it until they are closed. */
export async function storage(): Promise<Finding> {
  const opened = new Promise<boolean>((resolve) => {
    try {
      const request = indexedDB.open("tidings-check");
      request.onsuccess = () => {
        request.result.close();
        indexedDB.deleteDatabase("tidings-check");
        resolve(true);
      };
      request.onerror = () => resolve(false);
    } catch {
      resolve(false);
    }
  });
  if (await within("IndexedDB", opened, OPENING).catch(() => false)) return good("The browser keeps data for this site.");
  return bad(
    "IndexedDB is forbidden or does not answer, as in some private windows: this device is forgotten when the page closes.",
    "Try it in a normal window, and allow the site to keep data.",
  );
}

export function permission(): Finding {
  if (typeof Notification === "undefined") return unknown("There is no permission to ask for here.");
  const { permission: given } = Notification;
  if (given === "granted") return good("Notifications are allowed.");
  if (given === "default") return good("The person has not been asked yet.");
  return bad(
    "Notifications are blocked for this site: by the person, by a private window, or by the browser's own settings.",
    'Tidings.banner({ whenDenied: true }) shows how to allow them again in this browser.',
  );
}

/** Before iOS 26 only a page with a manifest becomes an app on the Home Screen, and only an app gets push. */
export async function manifest(): Promise<Finding> {
  const link = document.querySelector<HTMLLinkElement>('link[rel~="manifest"]');
  const example = '{"name": "…", "display": "standalone", "start_url": "/", "icons": […]}';
  if (!link) {
    // Elsewhere push works without one.
    return (isIos(surroundings()) ? bad : unknown)(
      "The page has no manifest, so an iPhone or iPad makes no app of it, and only an app gets notifications there.",
      `Add <link rel="manifest" href="/site.webmanifest"> to every page, and a file that holds ${example}.`,
    );
  }
  const answer = await fetch(link.href, { credentials: link.crossOrigin === "use-credentials" ? "include" : "omit" }).catch(() => undefined);
  const read = (await answer?.json().catch(() => undefined)) as { display?: string } | undefined;
  if (!answer?.ok || !read) return bad(`The manifest ${link.href} could not be read.`, `Serve a file there that holds ${example}.`);
  if (read.display === "standalone" || read.display === "fullscreen") return good(`The page has a manifest, ${link.href}.`);
  return bad(
    `The manifest's display is ${JSON.stringify(read.display ?? "browser")}, so an iPhone or iPad opens the page in a tab, without push.`,
    'Set "display": "standalone" in it.',
  );
}
