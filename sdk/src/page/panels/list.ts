/** The items in the bell: what they look like, and what the keyboard does among them. */
import { button, element, sign, type Sign } from "./dom.ts";
import { moment, safe, type Around } from "./frame.ts";
import type { FeedItem } from "./options.ts";
import type { Texts } from "./texts.ts";

export interface Acts {
  open(item: FeedItem, event: MouseEvent): void;
  archive(item: FeedItem): void;
}

/** One item; what is in it is text, whatever it says. */
export function row(item: FeedItem, { words }: Around, acts: Acts): HTMLLIElement {
  const href = safe(item.url);
  const texts = element(
    "span",
    {},
    !item.read && element("span", { class: "told" }, `${words.say("unread")}: `),
    element("span", { class: "title" }, item.title),
    item.body ? element("span", { class: "body" }, item.body) : undefined,
    moment(item.at, words),
  );
  const inside = [element("span", { class: "dot", "aria-hidden": "true" }), picture(item), texts];
  const link = href ? element("a", { class: "open", href }, ...inside) : element("button", { class: "open", type: "button" }, ...inside);
  link.addEventListener("click", (event) => acts.open(item, event as MouseEvent));
  const gone = button(words.say("archive", item.title), () => acts.archive(item), { class: "icon" }, sign("close"));
  const made = element("li", { ...(item.read && { class: "read" }) }, link, gone);
  made.dataset["id"] = item.id;
  return made;
}

function picture(item: FeedItem): HTMLElement {
  const letter = (): HTMLElement => element("span", { class: "picture", "aria-hidden": "true" }, [...item.title][0]?.toUpperCase() ?? "");
  const src = safe(item.icon);
  if (!src) return letter();
  const image = element("img", { class: "picture", src, alt: "", loading: "lazy", width: "32", height: "32" });
  // Whatever keeps it away, a policy of the page too.
  image.addEventListener("error", () => image.replaceWith(letter()));
  return image;
}

/** Nothing to show, and what can be done about it. */
export function state({ words }: Around, which: Sign, title: keyof Texts, body: keyof Texts, again?: () => void): HTMLElement {
  return element(
    "div",
    { class: "state" },
    sign(which),
    element("h3", {}, words.say(title)),
    element("p", {}, words.say(body)),
    again && button(words.say("again"), again, { class: "plain" }),
  );
}

export const bones = (): HTMLElement => element("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: 6 }, () => element("div", { class: "bone" })));

/** Up and down go from item to item. */
export function arrows(list: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const all = [...list.querySelectorAll<HTMLElement>(".open")];
  const root = list.getRootNode() as ShadowRoot;
  const at = all.findIndex((one) => one.parentElement?.contains(root.activeElement));
  const next = all[at < 0 ? 0 : at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
