/** The talk with the person, from the question to its end. */
import { send } from "../../shared/upload.ts";
import type { Core } from "../core.ts";
import type { WebPushState } from "../events.ts";
import type { BannerOptions, BannerState } from "./options.ts";
import { isDark } from "./style.ts";
import { deniedWords, installWords, isIos, surroundings } from "./surroundings.ts";
import { filled, wordsFor, type Words } from "./texts/index.ts";
import type { Texts } from "./texts/texts.ts";
import { View, type Action, type Scene } from "./view.ts";

const GONE_AFTER = 6_000;

type Turn = (state: BannerState, reason?: string) => void;

export class Talk {
  private readonly core: Core;
  private readonly turn: Turn;
  private readonly words: Words;
  private readonly names: { site: string; host: string };
  private readonly view: View;
  private readonly called: boolean;
  private counted = false;
  private state: BannerState = "loading";
  private reason: string | undefined;
  private readonly deaf: () => void;
  private leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(core: Core, options: BannerOptions, turn: Turn) {
    this.core = core;
    this.turn = turn;
    this.called = Boolean(options.force);
    this.words = wordsFor(options.language, navigator.languages ?? [navigator.language], options.texts);
    this.names = { host: location.hostname, site: options.site ?? nameOf(document) };
    const { theme = "auto", position = "page" } = options;
    this.view = new View({
      label: this.text("label"),
      language: this.words.language,
      direction: this.words.direction,
      dark: theme === "auto" ? isDark(document) : theme === "dark",
      position,
      called: this.called,
      dismiss: () => this.dismiss(),
      gone: () => this.end("page"),
    });
    // Another tab, the browser's settings, or an answer that came late.
    this.deaf = core.on("change", (state) => this.hear(state));
  }

  begin(state: WebPushState): void {
    if (state === "denied") this.denied();
    else if (state === "unsupported") this.install(this.called);
    else this.question();
  }

  end(reason: string): void {
    if (this.state === "closed") return;
    this.state = "closed";
    clearTimeout(this.leaving);
    this.deaf();
    this.view.remove();
    this.turn("closed", reason);
  }

  private text(key: keyof Texts): string {
    return filled(this.words.texts[key], this.names);
  }

  private show(state: BannerState, scene: Scene, reason?: string): void {
    if (this.state === "closed") return;
    this.view.show(scene);
    if (state === this.state && reason === this.reason) return;
    [this.state, this.reason] = [state, reason];
    if (state === "question") this.count("banner");
    this.turn(state, reason);
  }

  /** Add one to what the App counts by day; nothing of the person is told, and a lost one is lost. */
  private count(step: "banner" | "later"): void {
    try {
      void send(this.core.origin(), "POST", `/funnel/${step}`).catch(() => undefined);
    } catch {
      // Of a page that is not set up there is nothing to count.
    }
  }

  private get later(): Action {
    return { label: this.text("later"), press: () => this.dismiss() };
  }

  private get close(): Action {
    return { label: this.text("close"), press: () => this.dismiss() };
  }

  /** Put away by the person: what was not answered stays away for some days. */
  private dismiss(): void {
    if (this.state === "question") this.count("later");
    if (this.state !== "working" && this.state !== "done") this.backOff();
    this.end(this.state === "done" ? "done" : "dismissed");
  }

  /** Once for each time that it is shown. */
  private backOff(): void {
    if (this.counted) return;
    this.counted = true;
    void this.core.dismissals((old) => ({ times: (old?.times ?? 0) + 1, last: Date.now() }));
  }

  private question(): void {
    const actions = [{ label: this.text("enable"), press: () => this.enable(), main: true }, this.later];
    this.show("question", { sign: "bell", title: this.text("title"), body: this.text("body"), actions });
  }

  /** In the click itself: browsers show their question only then. */
  private enable(): void {
    const answer = this.core.subscribe();
    const asks = Notification.permission === "default";
    const title = this.text(asks ? "title" : "working");
    this.show("working", { sign: "bell", title, body: asks ? this.text("asking") : undefined, busy: true, actions: [] });
    void answer.then((state) => this.follow(state));
  }

  private follow(state: WebPushState): void {
    if (this.state === "closed") return;
    if (state === "registered") return this.done();
    // Their "no" counts like a "Not now", should they ever take it back.
    if (state !== "unregistered") this.backOff();
    if (state === "denied") return this.denied();
    this.failed();
  }

  private hear(state: WebPushState): void {
    // While we wait ourselves, the answer comes to us anyway.
    if (this.state === "working" || this.state === "done") return;
    if (state === "registered") return this.done();
    // They have followed the steps: there is nothing left to ask them.
    if (this.state === "denied" && state === "unregistered") return this.enable();
    if (this.state === "denied" && state === "undecided") return this.question();
    if (this.state === "question" && state === "denied") this.end("denied");
  }

  private done(): void {
    this.show("done", { sign: "good", title: this.text("done"), body: this.text("doneBody"), actions: [this.close] });
    void this.core.dismissals(() => undefined);
    this.leave();
  }

  /** Go by itself, unless somebody is reading with the pointer or the keyboard on it. */
  private leave(): void {
    this.leaving = setTimeout(() => (this.view.isHeld ? this.leave() : this.end("done")), GONE_AFTER);
  }

  private failed(): void {
    const error = this.core.lastError();
    const code = error?.code ?? "failed";
    const actions = [{ label: this.text("again"), press: () => this.enable(), main: true }, this.later];
    const sign = code === "undecided" ? "bell" : "bad";
    const title = this.text(code === "undecided" ? "title" : "failed");
    this.show("failed", { sign, title, body: this.text(wordsOf(code, error?.message)), actions }, code);
  }

  private denied(): void {
    const steps = this.text(deniedWords(surroundings())).split("\n");
    this.show("denied", { sign: "bad", title: this.text("deniedTitle"), steps, actions: [this.close] });
  }

  private install(open: boolean): void {
    const around = surroundings();
    const head = { sign: "bell" as const, title: this.text("installTitle"), body: this.text("installBody") };
    if (!open) {
      const actions = [{ label: this.text("installShow"), press: () => this.install(true), main: true }, this.later];
      return this.show("install", { ...head, actions });
    }
    const first = installWords(around);
    const steps = [first, first === "installInApp" ? ("installShare" as const) : ("installAdd" as const), "installOpen" as const].map((key) => this.text(key));
    const pictures = /iPhone|iPod/.test(around.agent) ? "phone" : "tablet";
    this.show("install", { ...head, steps, ...(isIos(around) && { pictures }), actions: [this.later] });
  }
}

/** Which words tell a person what went wrong; the developer's are in the console. */
export function wordsOf(code: string, message = ""): keyof Texts {
  if (navigator.onLine === false) return "offline";
  if (code === "undecided") return "undecided";
  if (code === "subscribe_failed" || (code === "timed_out" && /push service/.test(message))) return surroundings().brave ? "pushBrave" : "push";
  if (/^(server_unreachable|timed_out|rate_limited|service_busy|internal_error)$/.test(code)) return "server";
  return "site";
}

function nameOf(page: Document): string {
  const said = page.querySelector<HTMLMetaElement>('meta[property="og:site_name"],meta[name="application-name"]');
  return said?.content.trim() || location.hostname;
}
