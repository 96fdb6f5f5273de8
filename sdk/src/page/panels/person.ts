/** What the server is asked in the name of the person whom the site's server has vouched for. */
import { pushUrl } from "../../shared/config.ts";
import type { Core } from "../core.ts";
import type { Counts, FeedItem } from "./options.ts";

const PATIENCE = 15_000;

export interface FeedPage extends Counts {
  data: FeedItem[];
  next_cursor: string | null;
  newest: string;
}

export interface Switch {
  enabled: boolean;
  default: boolean;
}

export interface Choice {
  type: string;
  name: string;
  description: string;
  category: string;
  mandatory: boolean;
  push: Switch;
  feed: Switch;
}

export interface Chosen {
  event_types: Choice[];
  quiet_hours: { from: string; to: string; time_zone: string | null } | null;
  quiet_hours_from: "person" | "app";
}

export interface OwnTopics {
  topics: { topic: string; since: string }[];
}

/** Nobody is signed in, or what the site's server signed has run out. */
export class SignedOut extends Error {}

/** The server said no, and why. */
export class Refused extends Error {
  readonly problem: { code?: string; detail?: string; mend?: string };
  constructor(status: number, problem: Refused["problem"]) {
    super(`${status}`);
    this.problem = problem;
  }
}

/** What the person's token is for is refused for other reasons than their token too. */
const OUT = ["identity_required", "identity_invalid"];

export class Person {
  private readonly core: Core;
  private readonly language: string | undefined;

  constructor(core: Core, language: string | undefined) {
    this.core = core;
    this.language = language;
  }

  /** Tells one person from the next; empty for nobody. */
  get name(): string {
    const user = this.core.user();
    return user?.token ? `${user.id} ${user.token}` : "";
  }

  feed(cursor?: string | null): Promise<FeedPage> {
    return this.call("GET", `/feed${this.query(cursor ? { cursor } : {})}`);
  }

  mark(what: "read" | "archive", ids: string[] | "all"): Promise<Counts> {
    return this.call("POST", `/feed/${what}`, ids === "all" ? { all: true } : { ids });
  }

  seen(): Promise<Counts> {
    return this.call("POST", "/feed/seen");
  }

  preferences(): Promise<Chosen> {
    return this.call("GET", `/preferences${this.query()}`);
  }

  change(what: object): Promise<Chosen> {
    return this.call("PUT", `/preferences${this.query()}`, what);
  }

  topics(change?: object): Promise<OwnTopics> {
    return this.call(change ? "PUT" : "GET", "/topics", change);
  }

  /** Open the stream after a place. */
  async stream(after: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const answer = await this.send("GET", `/feed/stream${this.query()}`, undefined, { "Last-Event-ID": after }, signal);
    if (!answer.ok || !answer.body) throw await refusal(answer);
    return answer.body;
  }

  private query(more?: Record<string, string>): string {
    return `?${new URLSearchParams({ locale: this.language ?? navigator.language ?? "en", ...more })}`;
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await this.send(method, path, body, {}, AbortSignal.timeout?.(PATIENCE));
    if (!answer.ok) throw await refusal(answer);
    return answer.json();
  }

  private send(method: string, path: string, body: object | undefined, more: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    const user = this.core.user();
    if (!user?.token) return Promise.reject(new SignedOut());
    return fetch(pushUrl(this.core.origin()) + path, {
      method,
      credentials: "omit",
      // A click on an item leads away from the page.
      keepalive: method === "POST",
      headers: {
        "Tidings-User": encodeURIComponent(user.id),
        "Tidings-Token": user.token,
        ...(body && { "Content-Type": "application/json" }),
        ...more,
      },
      body: body ? JSON.stringify(body) : null,
      signal: signal ?? null,
    });
  }
}

async function refusal(answer: Response): Promise<Error> {
  const { status } = answer;
  const problem: Refused["problem"] = (await answer.json().catch(() => undefined)) ?? {};
  const out = problem.code ? OUT.includes(problem.code) : status === 401 || status === 403;
  return out ? new SignedOut() : new Refused(status, problem);
}
