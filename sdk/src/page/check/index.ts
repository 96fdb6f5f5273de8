/** The conflict detector: what is wrong with this site's set-up, and how to mend it. */
import type { Core } from "../core.ts";
import type { Check, CheckOptions } from "./options.ts";
import { manifest } from "./surroundings.ts";

export type { Check, CheckOptions } from "./options.ts";

const CHECKS: Record<string, (core: Core) => Promise<Check>> = { manifest };

export async function run(core: Core, { only, print = true }: CheckOptions = {}): Promise<Check[]> {
  const found = await Promise.all(Object.entries(CHECKS).filter(([code]) => !only || only.includes(code)).map(([, look]) => look(core)));
  if (print) for (const { code, ok, detail, mend } of found) if (!ok) console.warn(`Tidings: ${code}: ${detail} ${mend}`);
  return found;
}
