import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Banner, BannerState } from "../../src/page/index.ts";
import { FakeBrowser, until, visit, type Sdk } from "../fakes/browser.ts";

type Turn = (state: BannerState, reason?: string) => void;

let browser: FakeBrowser;
let sdk: Sdk;
let opened: { options: object; turn: Turn; core: { settled(): Promise<string> } }[];

beforeEach(async () => {
  browser = new FakeBrowser().install();
  opened = [];
  vi.doMock("../../src/page/banner/index.ts", () => ({
    open: async (core: { settled(): Promise<string> }, options: object, _: Banner, turn: Turn) => {
      opened.push({ core, options, turn });
    },
  }));
  sdk = await visit();
  return () => vi.doUnmock("../../src/page/banner/index.ts");
});

describe("banner", () => {
  it("gives a handle at once, and tells each turn", async () => {
    const heard: unknown[] = [];
    sdk.on("banner", (event) => heard.push(event));
    const banner = sdk.banner({ backoff: [1] });
    expect(banner.state).toBe("loading");
    await until(() => opened.length);
    expect(opened[0]?.options).toEqual({ backoff: [1] });
    opened[0]?.turn("question");
    expect(banner.state).toBe("question");
    opened[0]?.turn("closed", "dismissed");
    opened[0]?.turn("question");
    expect(heard).toEqual([
      { state: "question", reason: undefined },
      { state: "closed", reason: "dismissed" },
    ]);
  });

  it("is one at a time", async () => {
    const first = sdk.banner();
    expect(sdk.banner()).toBe(first);
    await until(() => opened.length);
    opened[0]?.turn("hidden", "dismissed");
    expect(sdk.banner({ force: true })).not.toBe(first);
  });

  it("can be closed while it loads", async () => {
    const banner = sdk.banner();
    banner.close();
    expect([banner.state, banner.reason]).toEqual(["closed", "page"]);
  });

  it("waits for what is under way, and for init that nobody called", async () => {
    browser.permission = "granted";
    sdk.banner();
    await until(() => opened.length);
    expect(await opened[0]?.core.settled()).toBe("unregistered");
    const state = sdk.subscribe();
    expect(await opened[0]?.core.settled()).toBe("registered");
    await state;
  });

  it("is hidden, with the reason, where its script cannot be loaded", async () => {
    vi.doMock("../../src/page/banner/index.ts", () => {
      throw new TypeError("blocked");
    });
    sdk = await visit();
    const banner = sdk.banner();
    await until(() => banner.state === "hidden");
    expect([banner.reason, sdk.lastError?.code]).toEqual(["part_failed", "part_failed"]);
    expect(sdk.lastError?.message).toContain("CSP");
    browser.server.down = true;
    const again = sdk.banner();
    await until(() => again.state === "hidden");
    expect([again.reason, sdk.lastError?.message]).toEqual(["server_unreachable", expect.stringContaining("https://push.example does not answer")]);
  });
});

it("keeps the dismissals of each App apart", async () => {
  const { dismissals } = await import("../../src/page/kept.ts");
  const [one, two] = [{ server: "https://a", app: "1" }, { server: "https://a", app: "2" }];
  await dismissals(one, () => ({ times: 1, last: 5 }));
  expect(await dismissals(two, (old) => old)).toBeUndefined();
  expect(await dismissals(one, (old) => old)).toEqual({ times: 1, last: 5 });
});

it("gives the global all that the module exports", async () => {
  await import("../../src/page/global.ts");
  const { Tidings } = globalThis as unknown as { Tidings: object };
  expect(Object.keys(Tidings).sort()).toEqual(Object.keys(await import("../../src/page/index.ts")).sort());
});
