/** The conflict detector: what is wrong with this site's set-up, and how to mend it. */
import type { Core } from "../core.ts";
import { unknown, type Check, type CheckCode, type CheckOptions, type Finding } from "./options.ts";
import { configured, otherPush, server, worker } from "./others.ts";
import { policy, scope, workerFile, workerPolicy } from "./site.ts";
import { browser, frame, manifest, permission, secure, storage } from "./surroundings.ts";

export type { Check, CheckCode, CheckOptions } from "./options.ts";

const CHECKS: Record<CheckCode, (core: Core) => Finding | Promise<Finding>> = {
  configured,
  secure,
  browser,
  frame,
  storage,
  permission,
  manifest,
  server,
  policy,
  worker_file: workerFile,
  worker_policy: workerPolicy,
  scope,
  worker,
  other_push: otherPush,
};

/** Run the checks at once; one that fails itself is one that cannot tell. */
export async function run(core: Core, { only, print = true }: CheckOptions = {}): Promise<Check[]> {
  const codes = (Object.keys(CHECKS) as CheckCode[]).filter((code) => !only || only.includes(code));
  const found = await Promise.all(
    codes.map(async (code): Promise<Check> => {
      try {
        return { code, ...(await CHECKS[code](core)) };
      } catch (cause) {
        return { code, ...unknown(`This could not be looked at: ${(cause as Error).message}`) };
      }
    }),
  );
  if (print) show(found);
  return found;
}

function show(found: Check[]): void {
  const wrong = found.filter(({ ok }) => ok === false);
  console.info(`Tidings: ${wrong.length ? `${wrong.length} of ${found.length} checks found something to mend.` : `${found.length} checks, nothing to mend.`}`);
  for (const { code, ok, detail, mend } of found) {
    if (ok === false) console.warn(`✗ ${code}: ${detail}\n  → ${mend}`);
    else console.info(`${ok ? "✓" : "·"} ${code}: ${detail}${mend ? `\n  → ${mend}` : ""}`);
  }
}
