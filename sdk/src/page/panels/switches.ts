/** The person's own switches: push on this device, what they hear of and where, and the hours in which they do not. */
import type { WebPushState } from "../events.ts";
import { servedBy } from "../../shared/config.ts";
import { button, element } from "./dom.ts";
import type { Around } from "./frame.ts";
import { bones, state } from "./list.ts";
import { SignedOut, type Choice, type Chosen } from "./person.ts";

type Channel = "push" | "feed";
const CHANNELS: Channel[] = ["push", "feed"];

export class SwitchesView {
  readonly element: HTMLElement;
  private readonly around: Around;
  private readonly device = element("div", { class: "part" });
  private readonly events = element("div", {});
  private readonly saved = element("p", { class: "saved", role: "status" });
  private readonly deaf: () => void;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(around: Around) {
    this.around = around;
    this.element = element("div", { class: "switches" }, this.device, this.events, this.saved);
    this.deaf = around.core.on("change", (now) => this.showDevice(now));
    void around.core.settled().then((now) => this.showDevice(now));
    void this.load();
  }

  remove(): void {
    this.deaf();
    this.element.remove();
  }

  async load(): Promise<void> {
    this.events.replaceChildren(bones());
    try {
      this.show(await this.around.person.preferences());
    } catch (cause) {
      const out = cause instanceof SignedOut;
      this.events.replaceChildren(
        out ? state(this.around, "bell", "signedOut", "signedOutBody") : state(this.around, "bad", "failed", "failedBody", () => void this.load()),
      );
    }
  }

  private showDevice(now: WebPushState, working = false, failed = false): void {
    const { core, words } = this.around;
    const registered = now === "registered";
    const turned = async (work: () => Promise<WebPushState>): Promise<void> => {
      // In the click itself: browsers show their question only then.
      const done = work();
      this.showDevice(now, true);
      const then = await done;
      this.showDevice(then, false, then === now && then !== "denied");
    };
    const choice = (on: boolean): HTMLElement => {
      const made = button(words.say(on ? "on" : "off"), () => on !== registered && void turned(on ? core.subscribe : core.unsubscribe), {
        "aria-pressed": String(on === registered),
      });
      made.disabled = working || now === "unsupported" || (now === "denied" && on);
      return made;
    };
    const held = (this.device.getRootNode() as ShadowRoot).activeElement?.textContent;
    const buttons = [choice(true), choice(false)];
    const why = failed ? words.say("deviceFailed") : now === "denied" || now === "unsupported" ? words.say(servedBy().off ? "turnedOff" : now) : undefined;
    this.device.replaceChildren(
      element(
        "div",
        { class: "device" },
        element("div", {}, element("h3", { id: "device" }, words.say("device")), element("p", {}, words.say(working ? "working" : "deviceBody"))),
        element("div", { class: "choice", role: "group", "aria-labelledby": "device" }, ...buttons),
        why ? element("p", { class: "why", role: "alert" }, why) : undefined,
      ),
    );
    if (held) buttons.find((one) => one.textContent === held)?.focus();
  }

  private show(chosen: Chosen): void {
    const { words } = this.around;
    const rows: HTMLElement[] = [];
    let group = "";
    for (const one of chosen.event_types) {
      if (one.category !== group) rows.push(element("div", { class: "group", role: "heading", "aria-level": "4" }, (group = one.category)));
      rows.push(this.row(one));
    }
    const head = element("div", { class: "cols", "aria-hidden": "true" }, element("h3", {}, ""), ...CHANNELS.map((one) => element("span", {}, words.say(one))));
    const list = rows.length ? element("div", { class: "grid" }, head, ...rows) : element("p", {}, words.say("none"));
    this.events.replaceChildren(
      element("section", { class: "part" }, element("h3", {}, words.say("events")), list),
      this.quiet(chosen.quiet_hours),
    );
  }

  private row(one: Choice): HTMLElement {
    const { words } = this.around;
    const about = element("div", {}, element("span", {}, one.name), one.description ? element("p", {}, one.description) : undefined);
    if (one.mandatory) return element("div", { class: "row" }, about, element("div", { class: "cell always" }, words.say("always")));
    const cells = CHANNELS.map((channel) => {
      const label = `${one.name}: ${words.say(channel)}`;
      const made = toggle(label, one[channel].enabled, (on) => this.save({ event_types: { [one.type]: { [channel]: on } } }));
      return element("div", { class: "cell" }, made);
    });
    return element("div", { class: "row" }, about, ...cells);
  }

  private quiet(hours: Chosen["quiet_hours"]): HTMLElement {
    const { words } = this.around;
    const now = hours ?? { from: "22:00", to: "07:00", time_zone: null };
    const zone = now.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
    const input = (value: string): HTMLInputElement => element("input", { type: "time", required: "", value });
    const [from, to] = [input(now.from), input(now.to)];
    const save = (): Promise<boolean> => this.save({ quiet_hours: { from: from.value, to: to.value, time_zone: zone } });
    const changed = (): void => void (from.value && to.value && from.value !== to.value && save());
    for (const one of [from, to]) one.addEventListener("change", changed);
    const times = element(
      "div",
      { class: "times" },
      element("label", {}, words.say("from"), from),
      element("label", {}, words.say("to"), to),
      element("p", {}, words.say("zone", zone.replaceAll("_", " "))),
    );
    times.hidden = !hours;
    const turned = async (on: boolean): Promise<boolean> => {
      const done = on ? await save() : await this.save({ quiet_hours: null });
      times.hidden = on !== done;
      return done;
    };
    const head = element("div", { class: "line" }, element("div", {}, element("h3", {}, words.say("quiet")), element("p", {}, words.say("quietBody"))), toggle(words.say("quiet"), Boolean(hours), turned));
    return element("section", { class: "part" }, head, times);
  }

  /** One after the other, so that the last word is what stays; false when it did not. */
  private save(change: object): Promise<boolean> {
    const { person, words } = this.around;
    const done = this.turn.then(() => person.change(change)).then(
      () => true,
      () => false,
    );
    this.turn = done;
    return done.then((ok) => {
      this.saved.textContent = words.say(ok ? "saved" : "notSaved");
      this.saved.classList.toggle("bad", !ok);
      return ok;
    });
  }
}

/** A switch that turns at once, and back when that was not taken. */
function toggle(label: string, on: boolean, turned: (on: boolean) => Promise<boolean>): HTMLButtonElement {
  const made = button(
    label,
    () => {
      const next = made.getAttribute("aria-checked") !== "true";
      made.setAttribute("aria-checked", String(next));
      void turned(next).then((ok) => ok || made.setAttribute("aria-checked", String(!next)));
    },
    { class: "toggle", role: "switch", "aria-checked": String(on) },
    element("i", { "aria-hidden": "true" }),
  );
  return made;
}
