/** The banner in the page: one region, whose content changes from scene to scene. */
import { installPictures, sign, type Sign } from "./drawings.ts";
import { styled } from "./style.ts";

export interface Action {
  label: string;
  press: () => void;
  main?: boolean;
}

export interface Scene {
  sign: Sign;
  title: string;
  body?: string | undefined;
  /** Shown as a numbered list. */
  steps?: string[];
  /** Draw what the steps are about. */
  pictures?: "phone" | "tablet";
  busy?: boolean;
  actions: Action[];
}

type Content = Node | string | undefined;

function element<N extends keyof HTMLElementTagNameMap>(name: N, attributes: Record<string, string>, ...inside: Content[]): HTMLElementTagNameMap[N] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside.filter((one): one is Node | string => one !== undefined));
  return made;
}

export interface Frame {
  label: string;
  language: string;
  direction: "ltr" | "rtl";
  dark: boolean;
  position: "page" | "over";
  /** Whether the person called it, and should be led to it. */
  called: boolean;
  dismiss: () => void;
  /** The page has taken it out. */
  gone: () => void;
}

export class View {
  readonly host = document.createElement("tidings-banner");
  private readonly panel: HTMLElement;
  private readonly told = element("div", { class: "told", role: "status" });
  private readonly frame: Frame;
  /** Pages that exchange their content, or their whole body, take the banner along. */
  private readonly place = new MutationObserver(() => this.host.isConnected || this.frame.gone());
  private shown = false;
  /** Where the keyboard was before it came here. */
  private before: HTMLElement | null = null;

  constructor(frame: Frame) {
    this.frame = frame;
    const root = this.host.attachShadow({ mode: "open" });
    styled(root);
    const { label, language, direction, dark } = frame;
    this.panel = element("div", { class: dark ? "panel dark" : "panel", role: "region", "aria-label": label, lang: language, dir: direction });
    root.append(this.panel, this.told);
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      frame.dismiss();
    });
    this.panel.addEventListener("focusin", ({ relatedTarget }) => {
      if (relatedTarget instanceof HTMLElement && !root.contains(relatedTarget)) this.before = relatedTarget;
    });
  }

  get root(): ShadowRoot | null {
    return this.host.shadowRoot;
  }

  show(scene: Scene): void {
    const held = Boolean(this.root?.activeElement);
    const title = element("h2", { tabindex: "-1" }, scene.title);
    const pictures = scene.pictures ? installPictures(scene.pictures === "tablet") : [];
    const steps = (scene.steps ?? []).map((text, at) => element("li", {}, element("span", {}, text), pictures[at]));
    const words = element(
      "div",
      { class: "words" },
      title,
      scene.body ? element("p", {}, scene.body) : undefined,
      steps.length ? element("ol", pictures.length ? { class: "pictures", role: "list" } : { role: "list" }, ...steps) : undefined,
    );
    const actions = scene.actions.map(({ label, press, main }) => {
      const button = element("button", { type: "button", ...(main && { class: "main" }) }, label);
      button.addEventListener("click", press);
      return button;
    });
    const row = element(
      "div",
      { class: "row" },
      element("div", { class: "lead" }, sign(scene.sign), words),
      actions.length ? element("div", { class: "actions" }, ...actions) : undefined,
    );
    const kind = [steps.length && "steps", pictures.length && "pictured"].filter(Boolean).join(" ");
    this.panel.replaceChildren(element("div", { class: kind }, row), ...(scene.busy ? [element("div", { class: "busy" })] : []));
    this.panel.setAttribute("aria-busy", String(Boolean(scene.busy)));
    this.put();
    if (held || (this.frame.called && !this.shown)) title.focus();
    // The first scene is found where it stands; what follows is news.
    if (this.shown) this.told.textContent = [scene.title, scene.body, ...(scene.steps ?? [])].filter(Boolean).join(" ");
    this.shown = true;
  }

  /** Put it at the top of the page; where it could not be seen there, let it float. */
  private put(): void {
    if (this.host.isConnected) return;
    this.host.dataset["position"] = this.frame.position;
    document.body.prepend(this.host);
    for (const parent of [document.documentElement, document.body]) this.place.observe(parent, { childList: true });
    if (this.frame.position === "page" && !this.isSeen()) this.host.dataset["position"] = "over";
  }

  private isSeen(): boolean {
    const { top, left, width, height } = this.host.getBoundingClientRect();
    const { clientWidth, clientHeight, scrollHeight } = document.documentElement;
    const isFixed = [document.documentElement, document.body].some((one) => getComputedStyle(one).overflowY === "hidden");
    if (top < 0 || width < clientWidth * 0.9 || (isFixed && scrollHeight <= clientHeight)) return false;
    // A header that stays in its place may lie over it.
    return document.elementFromPoint(left + width / 2, top + height / 2) === this.host;
  }

  remove(): void {
    const held = Boolean(this.root?.activeElement);
    this.place.disconnect();
    this.host.remove();
    if (held && this.before?.isConnected) this.before.focus();
  }

  get isHeld(): boolean {
    return Boolean(this.root?.activeElement) || this.panel.matches(":hover");
  }
}
