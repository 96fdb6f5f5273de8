/** What comes, as it comes: server-sent events over fetch, as EventSource cannot say who asks. */
import type { Counts, FeedItem } from "./options.ts";
import { SignedOut, type Person } from "./person.ts";

/** Three times what the server says that it is still there in. */
const SILENCE = 45_000;
const FIRST = 1_000;
const LONGEST = 60_000;

export interface Heard {
  item(item: FeedItem): void;
  counts(counts: Counts): void;
  /** Whether the connection is there. */
  live(is: boolean): void;
  signedOut(): void;
}

/** Gives the lines of an event as `{event, id, data}`, whatever pieces they come in. */
export class Parser {
  private rest = "";

  read(piece: string): { event: string; id: string; data: string }[] {
    // Of a line's end that was cut in two, the second half is still to come.
    const [, text = "", cut = ""] = /^([^]*?)(\r?)$/.exec(this.rest + piece) ?? [];
    const blocks = text.replace(/\r\n?/g, "\n").split("\n\n");
    this.rest = (blocks.pop() ?? "") + cut;
    return blocks.map((block) => {
      const found = { event: "", id: "", data: "" };
      for (const line of block.split("\n")) {
        const [, name, value] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
        if (name) found[name as keyof typeof found] += value ?? "";
      }
      return found;
    });
  }
}

/** Listen from a place on, and again whenever it breaks, ever more slowly; the result ends it. */
export function listen(person: Person, from: string, heard: Heard): () => void {
  let after = from;
  let tries = 0;
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let open = new AbortController();

  async function run(): Promise<void> {
    timer = undefined;
    open = new AbortController();
    try {
      const reader = (await person.stream(after, open.signal)).getReader();
      const [decoder, parser] = [new TextDecoder(), new Parser()];
      for (let deaf = watch(); ; deaf = watch()) {
        const { done, value } = await reader.read();
        clearTimeout(deaf);
        if (done || ended) break;
        tries = 0;
        heard.live(true);
        for (const { event, id, data } of parser.read(decoder.decode(value, { stream: true }))) {
          if (event === "item") heard.item(JSON.parse(data) as FeedItem);
          if (event === "counts") heard.counts(JSON.parse(data) as Counts);
          if (id) after = id;
        }
      }
    } catch (cause) {
      if (!ended && cause instanceof SignedOut) return heard.signedOut();
    }
    if (ended) return;
    // A server that starts anew is back before anybody needs to know.
    if (tries) heard.live(false);
    // Not all pages at once, after the server was away.
    timer = setTimeout(() => void run(), Math.min(LONGEST, FIRST * 2 ** tries++) * (0.5 + Math.random()));
  }

  const watch = (): ReturnType<typeof setTimeout> => setTimeout(() => open.abort(), SILENCE);
  const again = (): void => {
    if (ended || !timer) return;
    clearTimeout(timer);
    tries = 0;
    void run();
  };
  addEventListener("online", again);
  void run();
  return () => {
    ended = true;
    clearTimeout(timer);
    removeEventListener("online", again);
    open.abort();
  };
}
