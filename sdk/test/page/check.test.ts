// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, test, vi } from "vitest";
import { run, type Check, type CheckCode } from "../../src/page/check/index.ts";
import { isAllowed, policiesFrom } from "../../src/page/check/policy.ts";
import type { Core } from "../../src/page/core.ts";
import { json, problem } from "../fakes/server.ts";

const SITE = "https://www.example";
const SERVER = "https://push.example";
const BASE = `${SERVER}/v1/app_1/push`;

let answers: Map<string, (init: RequestInit) => Response | Promise<Response>>;
let worker: { url: string; scope: string };
let script: { scriptURL: string; hello: unknown; state?: string } | undefined;
let subscriptions: { scope: string; key: string }[];
let isConfigured: boolean;

const core = {
  supported: () => true,
  worker: () => worker,
  origin: () => {
    if (!isConfigured) throw new Error("Load sdk.js from your Tidings server.");
    return { server: SERVER, app: "app_1" };
  },
} as unknown as Core;

const js = (headers: Record<string, string> = {}): Response =>
  new Response("importScripts('x')", { headers: { "content-type": "text/javascript", ...headers } });

async function found(code: CheckCode): Promise<Check> {
  const [check] = await run(core, { only: [code], print: false });
  expect(check?.code).toBe(code);
  return check!;
}

beforeEach(() => {
  isConfigured = true;
  [script, subscriptions] = [undefined, []];
  worker = { url: `${SITE}/tidings-sw.js`, scope: `${SITE}/` };
  answers = new Map([
    [worker.url, () => js()],
    [`${SITE}/news`, () => new Response("<html>")],
    [`${BASE}/vapid-key`, () => json({ public_key: "B" })],
  ]);
  document.head.innerHTML = "";
  vi.stubGlobal("location", new URL(`${SITE}/news`));
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("Notification", { permission: "default" });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const answer = answers.get(url);
    if (!answer) throw new TypeError("Failed to fetch");
    return answer(init);
  });
  vi.stubGlobal("navigator", {
    userAgent: "Chrome/140.0",
    serviceWorker: {
      getRegistration: async () =>
        script && {
          scope: worker.scope,
          active: { scriptURL: script.scriptURL, postMessage: (_: unknown, [port]: MessagePort[]) => port?.postMessage(script?.hello) },
        },
      getRegistrations: async () =>
        subscriptions.map(({ scope, key }) => ({
          scope,
          pushManager: { getSubscription: async () => ({ options: { applicationServerKey: new TextEncoder().encode(key).buffer } }) },
        })),
    },
  });
});

describe("all is well", () => {
  test.each(["configured", "secure", "frame", "permission", "browser", "server", "policy", "worker_file", "worker_policy", "scope", "other_push"] as const)(
    "%s",
    async (code) => {
      expect(await found(code)).toMatchObject({ ok: true, mend: "" });
    },
  );
});

describe("the worker's file", () => {
  test.each([
    ["is not there", () => new Response("", { status: 404 }), /answers 404/],
    ["is the start page", () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }), /HTML page/],
    ["has no type", () => new Response(new Uint8Array([1])), /no type, not as JavaScript/],
    ["is redirected", () => Object.defineProperty(js(), "type", { value: "opaqueredirect" }), /redirected/],
  ])("%s", async (_, answer, words) => {
    answers.set(worker.url, answer);
    const { ok, detail, mend } = await found("worker_file");
    expect(ok).toBe(false);
    expect(detail).toMatch(words);
    expect(mend).toContain(`importScripts("${BASE}/service-worker.js");`);
  });

  it("may not be on another origin", async () => {
    worker.url = "https://cdn.example/sw.js";
    expect((await found("worker_file")).detail).toContain("another origin");
  });

  it("should not be kept for long", async () => {
    answers.set(worker.url, () => js({ "cache-control": "max-age=2592000" }));
    expect(await found("worker_file")).toMatchObject({ ok: undefined, detail: expect.stringContaining("30 days") });
  });

  it("must not forbid the import by a policy of its own", async () => {
    answers.set(worker.url, () => js({ "content-security-policy": "script-src 'self'; connect-src *" }));
    expect(await found("worker_policy")).toMatchObject({ ok: false, mend: `Add to the policy: script-src ${SERVER}` });
    answers.set(worker.url, () => js({ "content-security-policy": "require-trusted-types-for 'script'" }));
    expect((await found("worker_policy")).detail).toContain("Trusted Types");
  });
});

describe("the scope", () => {
  test.each([
    ["/push/", "/push/tidings-sw.js", undefined, true],
    ["/", "/push/tidings-sw.js", undefined, false],
    ["/", "/push/tidings-sw.js", "/", true],
    ["/shop/", "/push/tidings-sw.js", "/push/", false],
  ])("%s of %s with Service-Worker-Allowed %s: %s", async (scope, path, header, ok) => {
    worker = { url: SITE + path, scope: SITE + scope };
    answers.set(worker.url, () => js(header ? { "service-worker-allowed": header } : {}));
    expect((await found("scope")).ok).toBe(ok);
  });
});

describe("the worker at the scope", () => {
  test.each([
    ["has ours in it", "/pwa.js", { tidings: "hello" }, true],
    ["is the site's own", "/pwa.js", "what?", false],
    ["is ours by name and empty", "/tidings-sw.js", "what?", false],
  ])("%s", async (_, path, hello, ok) => {
    script = { scriptURL: SITE + path, hello };
    const check = await found("worker");
    expect(check.ok).toBe(ok);
    if (!ok) expect(check.mend).toContain(`importScripts("${BASE}/service-worker.js");`);
  });

  it("may not be there yet", async () => {
    expect(await found("worker")).toMatchObject({ ok: undefined });
  });
});

it("finds another push service's subscription", async () => {
  subscriptions = [{ scope: `${SITE}/push/onesignal/`, key: "theirs" }];
  expect(await found("other_push")).toMatchObject({ ok: false, detail: expect.stringContaining("/push/onesignal/") });
});

describe("the server", () => {
  it("does not answer", async () => {
    answers.clear();
    expect((await found("server")).detail).toBe(`${SERVER} does not answer.`);
  });

  it("keeps its answer from this site", async () => {
    answers.set(`${BASE}/vapid-key`, ({ mode }) => {
      if (mode !== "no-cors") throw new TypeError("Failed to fetch");
      return new Response();
    });
    expect((await found("server")).mend).toBe(`Let the site in: tidings app allow ${SITE}`);
  });

  it("has its own reason", async () => {
    answers.set(`${BASE}/vapid-key`, () => problem(404, "vapid_key_missing"));
    expect(await found("server")).toMatchObject({ ok: false, detail: "It is vapid_key_missing.", mend: "Mend it so." });
  });

  it("is something else", async () => {
    answers.set(`${BASE}/vapid-key`, () => new Response("<html>", { status: 502 }));
    expect((await found("server")).detail).toContain("answers 502, and not as Tidings does");
  });

  it("is stopped by the page's policy", async () => {
    answers.set(`${BASE}/vapid-key`, () => {
      document.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { effectiveDirective: "connect-src" }));
      throw new TypeError("Failed to fetch");
    });
    expect((await found("server")).mend).toBe(`Add to the policy: connect-src ${SERVER}`);
  });
});

describe("the page", () => {
  it("has a policy in its header and in its meta elements", async () => {
    answers.set(`${SITE}/news`, () => new Response("", { headers: { "content-security-policy": "connect-src 'self'" } }));
    document.head.innerHTML = `<meta http-equiv="Content-Security-Policy" content="script-src 'self'">`;
    const { ok, detail, mend } = await found("policy");
    expect(ok).toBe(false);
    expect(detail).toContain("the SDK's scripts, calls to your Tidings server");
    expect(mend).toBe(`Add to the policy: script-src-elem ${SERVER}; connect-src ${SERVER}`);
  });

  test.each([
    ["", undefined, /no manifest/],
    ['{"display": "standalone"}', true, /has a manifest/],
    ['{"display": "browser"}', false, /display is "browser"/],
    ["{}", false, /display is "browser"/],
    ["<html>", false, /could not be read/],
  ])("has the manifest %j: %s", async (manifest, ok, words) => {
    if (manifest) document.head.innerHTML = `<link rel="manifest" href="${SITE}/m">`;
    answers.set(`${SITE}/m`, () => new Response(manifest));
    const check = await found("manifest");
    expect(check.ok).toBe(ok);
    expect(check.detail).toMatch(words);
  });

  it("is not on https", async () => {
    vi.stubGlobal("isSecureContext", false);
    expect((await found("secure")).ok).toBe(false);
  });

  it("is blocked", async () => {
    vi.stubGlobal("Notification", { permission: "denied" });
    expect((await found("permission")).ok).toBe(false);
  });
});

it("tells what could not be looked at, and prints all of it", async () => {
  isConfigured = false;
  const lines: string[] = [];
  vi.spyOn(console, "info").mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
  const checks = await run(core, { only: ["configured", "server", "secure"] });
  expect(checks.map(({ code, ok }) => [code, ok])).toEqual([["configured", false], ["secure", true], ["server", undefined]]);
  expect(lines[0]).toBe("Tidings: 1 of 3 checks found something to mend.");
  expect(lines[1]).toMatch(/^✗ configured: .*\n {2}→ Load sdk.js/);
  expect(lines).toHaveLength(4);
});

describe("a policy", () => {
  test.each([
    ["script-src https://push.example", true],
    ["script-src push.example", true],
    ["script-src *.example", true],
    ["script-src https:", true],
    ["script-src *", true],
    ["default-src 'self' https://push.example:443", true],
    ["script-src 'self'", false],
    ["default-src 'none'", false],
    ["script-src https://push.example:8443", false],
    ["script-src https://other.example", false],
    ["script-src https://push.example/other/", false],
    ["script-src https://push.example/v1/", true],
    ["script-src 'nonce-x' 'strict-dynamic'", undefined],
    ["script-src http://push.example", true],
    ["script-src wss://push.example data:", false],
    ["img-src 'none'", true],
  ])("%s: %s", (header, allowed) => {
    const [policy] = policiesFrom(header);
    expect(isAllowed(policy!, "script-src-elem", `${BASE}/banner.js`, `${SITE}/`)).toBe(allowed);
  });
});

it("wants a manifest on an iPhone or iPad", async () => {
  vi.stubGlobal("navigator", { ...navigator, userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1" });
  expect(await found("manifest")).toMatchObject({ ok: false, detail: expect.stringContaining("no manifest") });
});
