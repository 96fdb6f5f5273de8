// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { open, type BannerOptions, type BannerState } from "../../src/page/banner/index.ts";
import type { Core, Dismissals } from "../../src/page/core.ts";
import { TidingsError } from "../../src/page/errors.ts";
import type { WebPushState } from "../../src/page/events.ts";

const A_DAY = 86_400_000;
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1";

let state: WebPushState;
let wish: "on" | "off" | undefined;
let kept: Dismissals | undefined;
let error: TidingsError | undefined;
let answer: () => Promise<WebPushState>;
let change: ((now: WebPushState) => void) | undefined;
let asked: string[];
let turns: string[];
let counted: string[];

const core = {
  version: "0.0.0-test",
  settled: async () => state,
  subscribe: () => {
    asked.push("subscribe");
    return answer();
  },
  on: (_: string, listener: (now: WebPushState) => void) => {
    change = listener;
    return () => (change = undefined);
  },
  lastError: () => error,
  origin: () => ({ server: "https://push.example", app: "app_1" }),
  wish: async () => wish,
  dismissals: async (next: (old: Dismissals | undefined) => Dismissals | undefined) => (kept = next(kept)),
  check: async ({ only }: { only?: string[] }) => {
    asked.push(`check ${only}`);
    return [];
  },
} as unknown as Core;

interface Handle {
  state: BannerState;
  reason: string | undefined;
  close(): void;
}

async function shown(options: BannerOptions = {}): Promise<Handle> {
  const handle: Handle = { state: "loading", reason: undefined, close: () => undefined };
  await open(core, options, handle, (now, reason) => {
    Object.assign(handle, { state: now, reason });
    turns.push(reason ? `${now} ${reason}` : now);
  });
  return handle;
}

const root = (): ShadowRoot | null | undefined => document.querySelector("tidings-banner")?.shadowRoot;
const text = (selector: string): string => root()?.querySelector(selector)?.textContent ?? "";
const buttons = (): HTMLButtonElement[] => [...(root()?.querySelectorAll("button") ?? [])];
const press = (label: string): void => buttons().find((one) => one.textContent === label)!.click();
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function pretend(agent: string, more: object = {}): void {
  vi.stubGlobal("navigator", { userAgent: agent, languages: ["en"], language: "en", maxTouchPoints: 5, onLine: true, ...more });
}

beforeEach(() => {
  [state, wish, kept, error, change] = ["undecided", undefined, undefined, undefined, undefined];
  answer = async () => "registered";
  [asked, turns, counted] = [[], [], []];
  vi.stubGlobal("fetch", async (url: string) => {
    counted.push(url.replace("https://push.example/v1/app_1/push/funnel/", ""));
    return new Response();
  });
  document.head.innerHTML = '<meta property="og:site_name" content="Harbour News">';
  document.body.innerHTML = "<main>Fresh fish</main>";
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("Notification", { permission: "default" });
  pretend("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36", { maxTouchPoints: 0 });
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.useRealTimers();
  // What is open ends with the test, not in the next one.
  document.body.replaceChildren();
  await settle();
});

describe("who is asked", () => {
  test.each([
    ["undecided", undefined, {}, "question"],
    ["unregistered", undefined, {}, "question"],
    ["registered", "on", { force: true }, "hidden registered"],
    ["unregistered", "off", {}, "hidden turned_off"],
    ["unregistered", "off", { force: true }, "question"],
    ["unregistered", "on", {}, "hidden retrying"],
    ["denied", undefined, {}, "hidden denied"],
    ["denied", undefined, { whenDenied: true }, "denied"],
    ["unsupported", undefined, { force: true }, "hidden unsupported"],
  ] as const)("%s with the wish %s and %j: %s", async (now, wished, options, turn) => {
    [state, wish] = [now, wished];
    await shown(options);
    expect(turns).toEqual([turn]);
    expect(Boolean(root())).toBe(!turn.startsWith("hidden"));
  });

  test.each([
    [1, 2.9, undefined, "hidden dismissed"],
    [1, 3.1, undefined, "question"],
    [2, 6.9, undefined, "hidden dismissed"],
    [2, 7.1, undefined, "question"],
    [3, 29.9, undefined, "hidden dismissed"],
    [3, 30.1, undefined, "question"],
    [9, 29.9, undefined, "hidden dismissed"],
    [1, 0.9, [1], "hidden dismissed"],
    [1, 1.1, [1], "question"],
    [5, 0, [], "question"],
    [1, -9, undefined, "question"],
  ])("after %i dismissals, %d days ago, with %j: %s", async (times, days, backoff, turn) => {
    kept = { times, last: Date.now() - days * A_DAY };
    await shown({ backoff });
    expect(turns).toEqual([turn]);
  });

  it("shows it in spite of that to who called it", async () => {
    kept = { times: 3, last: Date.now() };
    expect((await shown({ force: true })).state).toBe("question");
  });
});

describe("the question", () => {
  it("is a region with a name, at the top of the page, and asks nobody by itself", async () => {
    await shown();
    expect(document.body.firstElementChild?.localName).toBe("tidings-banner");
    const panel = root()?.querySelector('[role="region"]');
    expect([panel?.getAttribute("aria-label"), panel?.getAttribute("lang"), panel?.getAttribute("dir")]).toEqual(["Notifications", "en", "ltr"]);
    expect(text("h2")).toBe("Enable push notifications");
    expect(text("p")).toContain("Harbour News lets you know");
    expect(buttons().map(({ textContent, type }) => [textContent, type])).toEqual([["Enable", "button"], ["Not now", "button"]]);
    expect(asked).toEqual([]);
  });

  it("needs no inline style", async () => {
    await shown();
    expect(root()?.adoptedStyleSheets).toHaveLength(1);
    expect(root()?.querySelectorAll("[style], style")).toHaveLength(0);
  });

  it("calls the browser's question in the click itself", async () => {
    await shown();
    press("Enable");
    expect(asked).toEqual(["subscribe"]);
    expect(text("p")).toContain("Choose “Allow”");
    expect(root()?.querySelector("[aria-busy=true]")).not.toBeNull();
    await settle();
    expect(turns).toEqual(["question", "working", "done"]);
    expect(text("h2")).toBe("Notifications are on");
    expect(text("[role=status]")).toContain("Notifications are on");
  });

  test.each(["Not now", "Escape"])("is put away with %s, for three days", async (how) => {
    await shown();
    if (how === "Escape") buttons()[0]!.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    else press(how);
    expect(root()).toBeUndefined();
    expect(turns.at(-1)).toBe("closed dismissed");
    expect(kept?.times).toBe(1);
    await shown();
    expect(turns.at(-1)).toBe("hidden dismissed");
    expect(counted).toEqual(["banner", "later"]);
  });

  it("is not counted when the page closes it", async () => {
    (await shown()).close();
    expect([turns.at(-1), kept, root()]).toEqual(["closed page", undefined, undefined]);
  });

  it.each([
    ["taken out", () => document.querySelector("tidings-banner")!.remove()],
    ["replaced with the whole body", () => document.body.replaceWith(document.createElement("body"))],
  ])("is closed when it is %s by the page, as those do that exchange their content", async (_, exchange) => {
    await shown();
    exchange();
    await vi.waitFor(() => expect(turns.at(-1)).toBe("closed page"), 60_000);
    expect(kept).toBeUndefined();
    await shown();
    expect([turns.at(-1), text("h2")]).toEqual(["question", "Enable push notifications"]);
  });

  it("stays when the page moves it", async () => {
    await shown();
    document.body.append(document.querySelector("tidings-banner")!);
    await settle();
    expect([turns.at(-1), text("h2")]).toEqual(["question", "Enable push notifications"]);
  });

  it("goes when another tab answered it", async () => {
    await shown();
    change?.("registered");
    expect(turns.at(-1)).toBe("done");
    await shown({ force: true });
    change?.("denied");
    expect(turns.at(-1)).toBe("closed denied");
  });
});

describe("the answers", () => {
  it("yes: goes by itself, and forgets what was put away", async () => {
    kept = { times: 2, last: 0 };
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await shown();
    press("Enable");
    await vi.advanceTimersByTimeAsync(5_999);
    expect([turns.at(-1), kept]).toEqual(["done", undefined]);
    await vi.advanceTimersByTimeAsync(1);
    expect([turns.at(-1), root()]).toEqual(["closed done", undefined]);
  });

  it("no: says how to take it back, and counts once", async () => {
    answer = async () => "denied";
    await shown();
    press("Enable");
    await settle();
    expect(turns.at(-1)).toBe("denied");
    expect([...root()!.querySelectorAll("li")].map(({ textContent }) => textContent)[0]).toBe("Click the icon to the left of the address.");
    press("Close");
    expect(kept?.times).toBe(1);
  });

  it("no, then yes in the browser's settings: registers without another question", async () => {
    state = "denied";
    await shown({ whenDenied: true });
    change?.("unregistered");
    expect(asked).toEqual(["subscribe"]);
    await settle();
    expect(turns.at(-1)).toBe("done");
  });

  it("none: asks again, and a late yes counts", async () => {
    answer = async () => "undecided";
    error = new TidingsError("undecided", "not answered");
    await shown();
    press("Enable");
    await settle();
    expect(turns.at(-1)).toBe("failed undecided");
    expect(kept?.times).toBe(1);
    change?.("registered");
    expect(turns.at(-1)).toBe("done");
  });

  test.each([
    ["subscribe_failed", "", {}, "does not reach its push service"],
    ["timed_out", "The push service took", {}, "does not reach its push service"],
    ["subscribe_failed", "", { brave: {} }, "brave://settings/privacy"],
    ["timed_out", "The Tidings server took", {}, "server does not answer"],
    ["server_unreachable", "", {}, "server does not answer"],
    ["server_unreachable", "", { onLine: false }, "You are offline"],
    ["worker_conflict", "", {}, "on our side"],
  ])("a failure %s %s %j: %s", async (code, message, more, words) => {
    pretend(navigator.userAgent, more);
    answer = async () => "unregistered";
    error = new TidingsError(code, message);
    await shown();
    press("Enable");
    await settle();
    expect(turns.at(-1)).toBe(`failed ${code}`);
    expect(text("p")).toContain(words);
    answer = async () => "registered";
    press("Try again");
    await settle();
    expect(turns.at(-1)).toBe("done");
  });

  it("leads the keyboard on", async () => {
    await shown();
    buttons()[0]!.focus();
    press("Enable");
    expect(root()?.activeElement?.localName).toBe("h2");
  });
});

describe("on an iPhone", () => {
  beforeEach(() => {
    state = "unsupported";
    pretend(IPHONE);
    document.head.innerHTML += '<link rel="manifest" href="/site.webmanifest">';
  });

  it("explains the Home Screen with pictures, first in short", async () => {
    await shown();
    expect(buttons().map(({ textContent }) => textContent)).toEqual(["Show how", "Not now"]);
    press("Show how");
    expect(root()?.querySelectorAll("li svg")).toHaveLength(3);
    expect(text("ol")).toContain("Add to Home Screen");
    expect(turns).toEqual(["install"]);
  });

  it("does so on an iPad, which says that it is a Macintosh", async () => {
    pretend("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15");
    await shown();
    expect(turns).toEqual(["install"]);
  });

  it("sends who is in an app's own view to Safari", async () => {
    pretend(`${IPHONE} Instagram 300.0`);
    await shown({ force: true });
    expect(text("li")).toContain("Open this page in Safari");
  });

  test.each([
    ["a Mac", IPHONE.replace("iPhone; CPU iPhone OS 18_5 like Mac OS X", "Macintosh; Intel Mac OS X 10_15_7"), { maxTouchPoints: 0 }],
    ["an iPhone before 16.4", IPHONE.replace("18_5", "16_3"), {}],
    ["an app on the Home Screen", IPHONE, { standalone: true }],
  ])("shows nothing on %s", async (_, agent, more) => {
    pretend(agent, more);
    await shown();
    expect(turns).toEqual(["hidden unsupported"]);
  });

  it("shows nothing without a manifest, and tells the developer", async () => {
    document.head.innerHTML = "";
    await shown();
    expect([turns, asked]).toEqual([["hidden unsupported"], ["check manifest"]]);
  });
});

describe("how to allow it again", () => {
  test.each([
    ["Chrome", "X11; Linux x86_64) Chrome/140.0 Safari/537.36", "Switch on “Notifications”"],
    ["Edge", "Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Permissions for this site"],
    ["Opera", "Windows NT 10.0) Chrome/140.0 Safari/537.36 OPR/120.0", "Site settings"],
    ["Firefox", "X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "remove “Blocked”"],
    ["Safari", "Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15", "menu bar"],
    ["Chrome on Android", "Linux; Android 10; K) Chrome/140.0 Mobile Safari/537.36", "Android’s settings"],
    ["Samsung Internet", "Linux; Android 10; K) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36", "Permissions"],
    ["Firefox on Android", "Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "says “Allowed”"],
  ])("in %s", async (_, agent, words) => {
    state = "denied";
    pretend(`Mozilla/5.0 (${agent}`, { maxTouchPoints: 0 });
    await shown({ whenDenied: true });
    expect(text("ol")).toContain(words);
  });

  it("in an app on the Home Screen", async () => {
    state = "denied";
    pretend(IPHONE, { standalone: true });
    await shown({ whenDenied: true });
    expect(text("ol")).toContain("Settings app");
  });
});

describe("words", () => {
  it("are the first of the browser's languages that there is", async () => {
    pretend("Chrome/140.0", { languages: ["sv", "de-AT", "en"] });
    await shown();
    expect(text("h2")).toBe("Push-Benachrichtigungen aktivieren");
  });

  it("are the language asked for, and your own", async () => {
    await shown({ language: "fr", texts: { title: "Ne ratez rien de {site}", body: undefined }, site: "la Gazette" });
    expect(text("h2")).toBe("Ne ratez rien de la Gazette");
    expect(text("p")).toContain("la Gazette vous prévient");
  });

  it("may be of a language that we do not have, in its direction", async () => {
    await shown({ language: "ar", texts: { title: "تفعيل الإشعارات" } });
    const panel = root()?.querySelector("[role=region]");
    expect([panel?.getAttribute("lang"), panel?.getAttribute("dir")]).toEqual(["ar", "rtl"]);
  });
});
