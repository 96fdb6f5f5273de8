/** What a person follows, asked by the page in their name. */
import { beforeEach, describe, expect, it } from "vitest";
import { FakeBrowser, visit, type Sdk } from "../fakes/browser.ts";
import { json, problem } from "../fakes/server.ts";

let browser: FakeBrowser;
let sdk: Sdk;

const SINCE = "2026-11-26T12:00:00Z";

beforeEach(async () => {
  browser = new FakeBrowser().install();
  sdk = await visit();
  let follows: string[] = [];
  const answer = (): Response => json({ topics: follows.map((topic) => ({ topic, since: SINCE })) });
  browser.server.instead.set("GET /topics", answer);
  browser.server.instead.set("PUT /topics", () => {
    const told = browser.server.calls.at(-1)?.body as { follow?: string[]; unfollow?: string[] };
    follows = [...new Set([...follows, ...(told.follow ?? [])])].filter((one) => !told.unfollow?.includes(one)).sort();
    return answer();
  });
});

describe("topics", () => {
  it("are followed, listed and left in the person's name", async () => {
    await sdk.login("Ärger/7", "signed");
    expect(await sdk.follow("product:22", "author:7")).toEqual(["author:7", "product:22"]);
    expect(await sdk.topics()).toEqual(["author:7", "product:22"]);
    expect(await sdk.unfollow("author:7")).toEqual(["product:22"]);
    const calls = browser.server.calls.filter(({ path }) => path === "/topics");
    expect(calls.map(({ method, body }) => [method, body])).toEqual([
      ["PUT", { follow: ["product:22", "author:7"] }],
      ["GET", {}],
      ["PUT", { unfollow: ["author:7"] }],
    ]);
    expect(calls[0]?.init.headers).toMatchObject({ "Tidings-User": "%C3%84rger%2F7", "Tidings-Token": "signed" });
  });

  it("need somebody who is signed in, with a token that holds", async () => {
    await expect(sdk.follow("product:22")).rejects.toMatchObject({ name: "TidingsError", code: "signed_out" });
    await sdk.login("u-1");
    await expect(sdk.topics()).rejects.toMatchObject({ code: "signed_out" });
    await sdk.login("u-1", "old");
    browser.server.instead.set("GET /topics", () => problem(403, "identity_invalid"));
    await expect(sdk.topics()).rejects.toMatchObject({ code: "signed_out" });
    await expect(sdk.topics()).rejects.toBeInstanceOf(sdk.TidingsError);
  });

  it("say by its code why the server refuses, or that there was no answer", async () => {
    await sdk.login("u-1", "signed");
    browser.server.instead.set("PUT /topics", () => problem(403, "topic_private"));
    await expect(sdk.follow("private:1")).rejects.toMatchObject({ code: "topic_private", message: "It is topic_private. Mend it so." });
    browser.server.down = true;
    await expect(sdk.topics()).rejects.toMatchObject({ code: "server_unreachable" });
  });
});
