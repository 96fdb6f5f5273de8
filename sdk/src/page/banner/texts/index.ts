/** Which words, in which direction. */
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { it } from "./it.ts";
import { nl } from "./nl.ts";
import { pl } from "./pl.ts";
import { pt } from "./pt.ts";
import type { Texts } from "./texts.ts";

const LANGUAGES: Record<string, Texts> = { de, en, es, fr, it, nl, pl, pt };
const RIGHT_TO_LEFT = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/i;

export interface Words {
  language: string;
  direction: "ltr" | "rtl";
  texts: Texts;
}

const base = (tag: string): string => tag.toLowerCase().split(/[-_]/)[0] ?? "";

/** The language that was asked for, else the first of the browser's that we have, else English. */
export function wordsFor(asked: string | undefined, browser: readonly string[], own: Partial<Record<keyof Texts, string | undefined>> = {}): Words {
  const wished = asked ? [asked, ...browser] : browser;
  const known = wished.find((tag) => base(tag) in LANGUAGES) ?? "en";
  const overridden = Object.fromEntries(Object.entries(own).filter(([, text]) => text !== undefined));
  // A language that we do not have is still that of the page's own words.
  const language = asked && Object.keys(overridden).length ? asked : known;
  return {
    language,
    direction: RIGHT_TO_LEFT.test(language) ? "rtl" : "ltr",
    texts: { ...(LANGUAGES[base(known)] ?? en), ...overridden },
  };
}

/** Fill in the placeholders; a function, because a name may contain `$&`. */
export const filled = (text: string, names: { site: string; host: string }): string =>
  text.replace(/\{(site|host)\}/g, (_, name: "site" | "host") => names[name]);
