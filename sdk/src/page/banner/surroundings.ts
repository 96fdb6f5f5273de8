/** Which browser this is, as far as its words differ; every question is asked of the features first. */
import type { Texts } from "./texts/texts.ts";

export interface Surroundings {
  agent: string;
  touchPoints: number;
  standalone: boolean;
  brave: boolean;
}

export function surroundings(): Surroundings {
  const { userAgent = "", maxTouchPoints = 0 } = navigator;
  const { standalone, brave } = navigator as Navigator & { standalone?: boolean; brave?: unknown };
  return {
    agent: userAgent,
    touchPoints: maxTouchPoints,
    standalone: standalone === true || Boolean(globalThis.matchMedia?.("(display-mode: standalone), (display-mode: fullscreen)").matches),
    brave: Boolean(brave),
  };
}

/** An iPad says that it is a Macintosh; no Mac has a touch screen. */
export const isIos = ({ agent, touchPoints }: Surroundings): boolean =>
  /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1);

/** Push came to the Home Screen with 16.4; an iPad that says Macintosh tells its version only in Safari. */
export function isTooOld({ agent }: Surroundings): boolean {
  const found = /OS (\d+)_(\d+)/.exec(/Macintosh/.test(agent) ? "" : agent) ?? /Version\/(\d+)\.(\d+)/.exec(agent);
  if (!found) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return major < 16 || (major === 16 && minor < 4);
}

type Denied = Extract<keyof Texts, `denied${string}`>;

const DENIED: [RegExp, Denied][] = [
  [/SamsungBrowser/, "deniedSamsung"],
  [/Android.*Firefox\//, "deniedFirefoxAndroid"],
  [/Android/, "deniedAndroid"],
  [/Firefox\//, "deniedFirefox"],
  [/Edg\//, "deniedEdge"],
  [/OPR\//, "deniedOpera"],
  [/Chrom(e|ium)\//, "deniedChrome"],
  [/Macintosh.*Safari\//, "deniedSafari"],
];

/** The words that say how to allow notifications again in this browser. */
export function deniedWords(around: Surroundings): Denied {
  if (isIos(around)) return "deniedHomeScreen";
  return DENIED.find(([pattern]) => pattern.test(around.agent))?.[1] ?? "deniedOther";
}

type Install = "installSafari" | "installChrome" | "installOther" | "installInApp";

/** The words that say how to add the page to the Home Screen with this browser of an iPhone or iPad. */
export function installWords({ agent }: Surroundings): Install {
  // Apps show pages in a view of their own, which adds nothing to the Home Screen.
  if (/FBA[NV]|Instagram|Line\/|LinkedInApp|Snapchat|Pinterest|GSA\/|TikTok|musical_ly/.test(agent)) return "installInApp";
  if (/CriOS/.test(agent)) return "installChrome";
  return /FxiOS|EdgiOS|OPT\/|OPiOS|DuckDuckGo|Brave/.test(agent) ? "installOther" : "installSafari";
}
