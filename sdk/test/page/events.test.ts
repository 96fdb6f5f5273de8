import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeBrowser, SITE, visit, type Sdk } from "../fakes/browser.ts";

let browser: FakeBrowser;
let sdk: Sdk;

beforeEach(async () => {
  browser = new FakeBrowser().install();
  sdk = await visit();
});

const shown = { delivery: "d1", title: "Hello", url: "", data: null };

describe("on", () => {
  it("tells each state once", async () => {
    const states: string[] = [];
    sdk.on("change", (state) => states.push(state));
    await sdk.init();
    await sdk.state();
    await sdk.subscribe();
    await sdk.state();
    await sdk.unsubscribe();
    expect(states).toEqual(["undecided", "registered", "unregistered"]);
  });

  it("ends with the function it gives", async () => {
    const states: string[] = [];
    const off = sdk.on("change", (state) => states.push(state));
    await sdk.init();
    off();
    off();
    await sdk.subscribe();
    expect(states).toEqual(["undecided"]);
  });

  it("goes where a click leads when the worker could not bring it there", async () => {
    const gone: string[] = [];
    Object.assign(location, { assign: (url: string) => void gone.push(url) });
    await sdk.init();
    browser.hears({ tidings: "go", url: `${SITE}/tide` });
    browser.hears({ tidings: "gone", url: `${SITE}/ebb` });
    expect(gone).toEqual([`${SITE}/tide`]);
  });

  it("passes on what the worker tells, and nothing else", async () => {
    const heard: unknown[] = [];
    sdk.on("received", (detail) => heard.push(["received", detail]));
    sdk.on("clicked", (detail) => heard.push(["clicked", detail]));
    await sdk.init();
    await sdk.init();
    const scope = `${SITE}/`;
    browser.hears({ tidings: "received", scope, detail: shown });
    browser.hears({ tidings: "clicked", scope, detail: { ...shown, action: "yes" } });
    const ofAnotherApp = { tidings: "received", scope: `${SITE}/shop/`, detail: shown };
    const foreign = [null, "text", { type: "workbox" }, { tidings: "change", scope, detail: "denied" }, ofAnotherApp];
    for (const one of foreign) browser.hears(one);
    expect(heard).toEqual([
      ["received", shown],
      ["clicked", { ...shown, action: "yes" }],
    ]);
  });

  it("lets no listener's error stop the SDK or other listeners, and hides none", async () => {
    const reportError = vi.fn();
    vi.stubGlobal("reportError", reportError);
    const error = new Error("the site's own");
    const states: string[] = [];
    sdk.on("change", () => {
      throw error;
    });
    sdk.on("change", (state) => states.push(state));
    expect(await sdk.subscribe()).toBe("registered");
    expect(states).toEqual(["registered"]);
    expect(reportError).toHaveBeenCalledWith(error);
    expect(sdk.lastError).toBeUndefined();
  });

  it("does without browsers' notice of a changed permission", async () => {
    delete browser.navigator["permissions"];
    expect(await sdk.init()).toBe("undecided");
  });
});
