/** The bell's stream and words: events whole in whatever pieces they come, and a connection that comes back. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FeedItem } from "../../src/page/panels/options.ts";
import { SignedOut, type Person } from "../../src/page/panels/person.ts";
import { listen, Parser } from "../../src/page/panels/stream.ts";
import { wordsFor } from "../../src/page/panels/texts.ts";

const TEXT = 'retry: 3000\n\nid: p1\nevent: item\ndata: {"id":"ntf_1"}\n\n: still here\n\nevent: counts\r\ndata: {"unread":1,"unseen":1}\r\n\r\n';

describe("the parser", () => {
  it.each([1, 2, 7, 1_000])("gives events whole, in pieces of %i", (size) => {
    const parser = new Parser();
    const found = [];
    for (let at = 0; at < TEXT.length; at += size) found.push(...parser.read(TEXT.slice(at, at + size)));
    expect(found.filter(({ event }) => event)).toEqual([
      { event: "item", id: "p1", data: '{"id":"ntf_1"}' },
      { event: "counts", id: "", data: '{"unread":1,"unseen":1}' },
    ]);
  });
});

const bodyOf = (text: string): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });

describe("the stream", () => {
  afterEach(() => vi.useRealTimers());

  it("goes on where it was, and says when it is lost for longer than a moment", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("addEventListener", () => undefined);
    vi.stubGlobal("removeEventListener", () => undefined);
    const asked: string[] = [];
    const live: boolean[] = [];
    const items: FeedItem[] = [];
    const person = {
      stream: async (after: string) => {
        asked.push(after);
        if (asked.length > 1) throw new Error("away");
        return bodyOf(TEXT);
      },
    } as unknown as Person;
    const heard = { item: (one: FeedItem) => items.push(one), counts: () => undefined, live: (is: boolean) => live.push(is), signedOut: () => undefined };
    const end = listen(person, "p0", heard);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.slice(0, 3)).toEqual(["p0", "p1", "p1"]);
    expect(items).toEqual([{ id: "ntf_1" }]);
    expect(live.slice(0, 2)).toEqual([true, false]);
    end();
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toHaveLength(before);
  });

  it("ends for somebody whose token has run out", async () => {
    vi.stubGlobal("addEventListener", () => undefined);
    const signedOut = vi.fn();
    const person = { stream: () => Promise.reject(new SignedOut()) } as unknown as Person;
    listen(person, "p0", { item: () => undefined, counts: () => undefined, live: () => undefined, signedOut });
    await vi.waitFor(() => expect(signedOut).toHaveBeenCalledOnce());
  });
});

describe("the words", () => {
  it("are those that were asked for, else the browser's, else English", () => {
    expect(wordsFor("de-AT", ["en"]).language).toBe("de");
    expect(wordsFor("fi", ["sv", "de"]).language).toBe("de");
    expect(wordsFor(undefined, ["sv"]).say("bell")).toBe("Notifications");
  });

  it("take what is filled in as it is", () => {
    expect(wordsFor("en", []).say("came", "$& {n}")).toBe("New notification: $& {n}");
  });
});
