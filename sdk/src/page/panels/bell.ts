/** The bell: a button with a number, and what is behind it. */
import { button, element, sign } from "./dom.ts";
import { frame, type Around, type Frame } from "./frame.ts";
import { arrows, bones, row, state } from "./list.ts";
import type { Bell, Counts, FeedItem } from "./options.ts";
import { SignedOut, type FeedPage } from "./person.ts";
import { listen } from "./stream.ts";
import { SwitchesView } from "./switches.ts";
import { Toasts } from "./toast.ts";

const MOST = 99;
const LOOKS_EVERY = 1_000;

export class BellView implements Bell {
  counts: Counts = { unread: 0, unseen: 0 };
  private readonly around: Around;
  private readonly frame: Frame;
  private readonly ring: HTMLButtonElement;
  private readonly badge = element("span", { class: "badge", "aria-hidden": "true" });
  private readonly panel: HTMLElement;
  private readonly head = element("div", { class: "head" });
  private readonly lost = element("p", { class: "note", hidden: "" });
  private readonly scroll = element("div", { class: "scroll" });
  private readonly list = element("ul", { role: "list" });
  private readonly told = element("div", { class: "told", role: "status" });
  private readonly toasts: Toasts;
  private switches: SwitchesView | undefined;
  private items: FeedItem[] = [];
  private older: string | null = null;
  private who = "";
  private what: "loading" | "failed" | "signedOut" | "there" = "loading";
  private deaf = (): void => undefined;
  private readonly looking: ReturnType<typeof setInterval>;
  private readonly outside = (event: Event): void => void (event.composedPath().includes(this.frame.host) || this.hide());

  constructor(around: Around, place: Element) {
    this.around = around;
    const { words } = around;
    this.frame = frame("tidings-bell", "bell", around);
    this.toasts = new Toasts(around, (item, event) => this.open(item, event));
    this.ring = button(words.say("bell"), () => (this.panel.hidden ? this.show() : this.hide()), { class: "ring", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel" }, sign("bell"), this.badge);
    this.panel = element("div", { class: "panel", id: "panel", role: "dialog", "aria-label": words.say("bell"), hidden: "" }, this.head, this.lost, this.scroll);
    this.lost.textContent = words.say("lost");
    this.frame.inside.append(this.ring, this.panel, this.told);
    this.panel.addEventListener("keydown", (event) => this.key(event));
    place.append(this.frame.host);
    this.count(this.counts);
    this.look();
    // Another person may sign in, or the same one with a token that is good for longer.
    this.looking = setInterval(() => this.look(), LOOKS_EVERY);
  }

  show(): void {
    if (!this.panel.hidden) return;
    this.panel.hidden = false;
    // What they say is in it.
    this.toasts.remove();
    const { left, right } = this.ring.getBoundingClientRect();
    const end = left + right > document.documentElement.clientWidth;
    this.panel.classList.toggle("end", end);
    this.panel.classList.toggle("start", !end);
    this.ring.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", this.outside, true);
    this.render();
    this.head.querySelector<HTMLElement>("h2")?.focus();
    if (this.what === "failed") void this.load();
    this.seen();
  }

  hide(): void {
    if (this.panel.hidden) return;
    const held = Boolean(this.frame.root.activeElement);
    this.panel.hidden = true;
    this.switches?.remove();
    this.switches = undefined;
    this.ring.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", this.outside, true);
    if (held) this.ring.focus();
  }

  remove(): void {
    this.hide();
    clearInterval(this.looking);
    this.deaf();
    this.toasts.remove();
    this.frame.host.remove();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (this.switches) this.turn(false);
      else this.hide();
    } else if (!this.switches) arrows(this.list, event);
  }

  private look(): void {
    const { person } = this.around;
    if (person.name === this.who && this.what !== "loading") return;
    if (person.name === this.who && this.who) return;
    this.who = person.name;
    void this.load();
  }

  private async load(): Promise<void> {
    const asked = this.who;
    this.deaf();
    this.become("loading", []);
    let page: FeedPage;
    try {
      page = await this.around.person.feed();
    } catch (cause) {
      if (asked === this.who) this.become(cause instanceof SignedOut ? "signedOut" : "failed", []);
      return;
    }
    if (asked !== this.who) return;
    this.older = page.next_cursor;
    this.become("there", page.data);
    this.count(page);
    if (!this.panel.hidden) this.seen();
    this.deaf = listen(this.around.person, page.newest, {
      item: (item) => this.came(item),
      counts: (counts) => this.count(counts),
      live: (is) => (this.lost.hidden = is),
      signedOut: () => this.become("signedOut", []),
    });
  }

  private become(what: BellView["what"], items: FeedItem[]): void {
    this.what = what;
    this.items = items;
    this.lost.hidden = true;
    if (what !== "there") {
      this.older = null;
      this.count({ unread: 0, unseen: 0 });
    }
    this.render();
  }

  /** What the stream tells again is known already. */
  private came(item: FeedItem): void {
    if (this.items.some(({ id }) => id === item.id)) return;
    this.items = [item, ...this.items].sort((one, other) => other.at.localeCompare(one.at));
    if (this.what === "there") this.render();
    if (item.read) return;
    this.told.textContent = this.around.words.say("came", item.title);
    if (!this.panel.hidden) this.seen();
    else if (this.around.options.toast !== false && document.visibilityState === "visible") this.toasts.show(item);
  }

  private count({ unread, unseen }: Counts): void {
    const { words, options } = this.around;
    this.counts = { unread, unseen };
    this.badge.hidden = !unread;
    this.badge.textContent = unread > MOST ? `${MOST}+` : String(unread);
    this.badge.classList.toggle("old", !unseen);
    const label = unread ? words.say("bellUnread", String(unread)) : words.say("bell");
    this.ring.setAttribute("aria-label", label);
    this.ring.title = label;
    const all = this.head.querySelector<HTMLElement>(".all");
    if (all) all.hidden = !unread;
    options.count?.(this.counts);
  }

  private seen(): void {
    if (this.what !== "there" || !this.counts.unseen) return;
    void this.counted(this.around.person.seen());
  }

  private async counted(asked: Promise<Counts>): Promise<void> {
    await asked.then((counts) => this.count(counts)).catch(() => undefined);
  }

  private open(item: FeedItem, event: MouseEvent): void {
    this.read(item);
    if (this.around.options.open?.(item) === false) {
      event.preventDefault();
      this.hide();
    }
  }

  private read(item: FeedItem): void {
    if (item.read) return;
    this.items = this.items.map((one) => (one.id === item.id ? { ...one, read: true } : one));
    this.count({ ...this.counts, unread: Math.max(0, this.counts.unread - 1) });
    const at = this.list.querySelector(`[data-id="${CSS.escape(item.id)}"]`);
    at?.classList.add("read");
    at?.querySelector(".told")?.remove();
    void this.counted(this.around.person.mark("read", [item.id]));
  }

  private archive(item: FeedItem): void {
    const at = this.items.findIndex(({ id }) => id === item.id);
    const before = this.items;
    this.items = before.filter(({ id }) => id !== item.id);
    this.render();
    const next = this.list.querySelectorAll<HTMLElement>(".open")[Math.min(at, this.items.length - 1)];
    (next ?? this.head.querySelector<HTMLElement>("h2"))?.focus();
    this.around.person.mark("archive", [item.id]).then(
      (counts) => this.count(counts),
      () => {
        // It is there still.
        this.items = before;
        this.render();
      },
    );
  }

  private readAll(): void {
    this.items = this.items.map((one) => ({ ...one, read: true }));
    this.count({ unread: 0, unseen: 0 });
    this.render();
    this.head.querySelector<HTMLElement>("h2")?.focus();
    void this.counted(this.around.person.mark("read", "all"));
  }

  private async more(): Promise<void> {
    const from = this.items.length;
    const page = await this.around.person.feed(this.older).catch(() => undefined);
    if (!page) return;
    this.older = page.next_cursor;
    const known = new Set(this.items.map(({ id }) => id));
    this.items = [...this.items, ...page.data.filter(({ id }) => !known.has(id))];
    this.render();
    this.list.querySelectorAll<HTMLElement>(".open")[from]?.focus();
  }

  /** Between the items and the person's switches. */
  private turn(toSwitches: boolean): void {
    this.switches?.remove();
    this.switches = toSwitches ? new SwitchesView(this.around) : undefined;
    this.render();
    this.head.querySelector<HTMLElement>("h2")?.focus();
  }

  private render(): void {
    if (this.panel.hidden) return;
    const { words, options } = this.around;
    const title = (key: "bell" | "settings"): HTMLElement => element("h2", { tabindex: "-1" }, words.say(key));
    const close = button(words.say("close"), () => this.hide(), { class: "icon" }, sign("close"));
    if (this.switches) {
      const back = button(words.say("back"), () => this.turn(false), { class: "icon" }, sign("back"));
      this.head.replaceChildren(back, title("settings"), close);
      this.scroll.replaceChildren(this.switches.element);
      return;
    }
    const all = button(words.say("all"), () => this.readAll(), { class: "plain all" });
    all.hidden = !this.counts.unread;
    const gear = options.preferences === false ? undefined : button(words.say("settings"), () => this.turn(true), { class: "icon" }, sign("gear"));
    this.head.replaceChildren(...[title("bell"), all, gear, close].filter((one) => one !== undefined));
    this.scroll.setAttribute("aria-busy", String(this.what === "loading"));
    this.scroll.replaceChildren(...this.content());
  }

  private content(): Node[] {
    const { around, items } = this;
    if (this.what === "loading") return [bones()];
    if (this.what === "signedOut") return [state(around, "bell", "signedOut", "signedOutBody")];
    if (this.what === "failed") return [state(around, "bad", "failed", "failedBody", () => void this.load())];
    if (!items.length && !this.older) return [state(around, "bell", "empty", "emptyBody")];
    const acts = { open: (item: FeedItem, event: MouseEvent) => this.open(item, event), archive: (item: FeedItem) => this.archive(item) };
    this.list.replaceChildren(...items.map((item) => row(item, around, acts)));
    const more = this.older ? element("div", { class: "more" }, button(around.words.say("older"), () => void this.more(), { class: "plain" })) : undefined;
    return more ? [this.list, more] : [this.list];
  }
}
