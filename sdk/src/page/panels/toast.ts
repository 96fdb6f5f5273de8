/** A note in the page's corner, for who is looking at the page when something comes. */
import { button, element, sign } from "./dom.ts";
import { frame, safe, type Around, type Frame } from "./frame.ts";
import type { FeedItem } from "./options.ts";

const STAYS = 8_000;
const MOST = 3;

export class Toasts {
  private readonly around: Around;
  private readonly open: (item: FeedItem, event: MouseEvent) => void;
  private made: Frame | undefined;

  constructor(around: Around, open: (item: FeedItem, event: MouseEvent) => void) {
    this.around = around;
    this.open = open;
  }

  show(item: FeedItem): void {
    const { words } = this.around;
    const { inside } = (this.made ??= this.begin());
    const href = safe(item.url);
    const texts = [element("span", { class: "title" }, item.title), item.body ? element("span", { class: "body" }, item.body) : undefined];
    const link = href ? element("a", { class: "open", href }, ...texts) : element("button", { class: "open", type: "button" }, ...texts);
    const toast = element("div", { class: "toast" }, link, button(words.say("close"), () => toast.remove(), { class: "icon" }, sign("close")));
    link.addEventListener("click", (event) => {
      toast.remove();
      this.open(item, event as MouseEvent);
    });
    inside.append(toast);
    while (inside.childElementCount > MOST) inside.firstElementChild?.remove();
    this.leave(toast);
  }

  /** Go by itself, unless somebody is reading with the pointer or the keyboard on it. */
  private leave(toast: HTMLElement): void {
    setTimeout(() => (toast.matches(":hover, :focus-within") ? this.leave(toast) : toast.remove()), STAYS);
  }

  private begin(): Frame {
    const made = frame("tidings-toasts", "toast", this.around);
    // The bell says it to who cannot see it.
    document.body.append(made.host);
    return made;
  }

  remove(): void {
    this.made?.host.remove();
    this.made = undefined;
  }
}
