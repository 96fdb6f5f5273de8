/** What bell, switches and toasts share: a host with a shadow root in the page's language and colours. */
import type { Core } from "../core.ts";
import { isDark } from "../banner/style.ts";
import { element } from "./dom.ts";
import type { BellOptions } from "./options.ts";
import { Person } from "./person.ts";
import { styled, type LOOKS } from "./style.ts";
import { wordsFor, type Words } from "./texts.ts";

export interface Around {
  core: Core;
  options: BellOptions;
  words: Words;
  person: Person;
}

export function around(core: Core, options: BellOptions): Around {
  const words = wordsFor(options.language, navigator.languages ?? [navigator.language]);
  return { core, options, words, person: new Person(core, options.language) };
}

export interface Frame {
  host: HTMLElement;
  inside: HTMLElement;
  root: ShadowRoot;
}

export function frame(name: string, look: keyof typeof LOOKS, { options, words }: Around): Frame {
  const host = document.createElement(name);
  const root = host.attachShadow({ mode: "open" });
  styled(root, look);
  const { theme = "auto" } = options;
  const inside = element("div", { class: "tidings", lang: words.language });
  inside.classList.toggle("dark", theme === "auto" ? isDark(document) : theme === "dark");
  root.append(inside);
  return { host, inside, root };
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** "5 minutes ago", and the exact time for who points at it. */
export function moment(at: string, words: Words, now = Date.now()): HTMLTimeElement {
  const then = new Date(at);
  const seconds = Math.max(0, (now - then.getTime()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
  const { language } = words;
  const days = seconds / 86_400;
  let said = words.say("now");
  if (unit && size) said = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }).format(-Math.floor(seconds / size), unit);
  if (days >= 7) said = then.toLocaleDateString(language, { day: "numeric", month: "short", ...(days >= 300 && { year: "numeric" }) });
  return element("time", { datetime: at, title: then.toLocaleString(language, { dateStyle: "full", timeStyle: "short" }) }, said);
}

/** Where a click may lead: an address of the web, or nowhere. */
export function safe(url: string | null): string | undefined {
  try {
    const found = new URL(url ?? "", location.href);
    return url && /^https?:$/.test(found.protocol) ? found.href : undefined;
  } catch {
    return undefined;
  }
}
