/** What the conflict detector is asked, and what it finds. */
export type CheckCode =
  | "configured"
  | "secure"
  | "browser"
  | "frame"
  | "storage"
  | "permission"
  | "manifest"
  | "server"
  | "policy"
  | "worker_file"
  | "worker_policy"
  | "scope"
  | "worker"
  | "other_push";

export interface CheckOptions {
  /** Codes of the checks to run; all of them otherwise. */
  only?: CheckCode[] | undefined;
  /** Print the result to the console; true unless you say otherwise. */
  print?: boolean | undefined;
}

export interface Check {
  /** What was looked at; it stays the same. */
  code: CheckCode;
  /** Undefined where it could not be told, or does not matter here. */
  ok: boolean | undefined;
  /** What was found. */
  detail: string;
  /** What to do about it; empty when there is nothing to do. */
  mend: string;
}

/** What one check finds; its code is added by who runs it. */
export type Finding = Omit<Check, "code">;

export const good = (detail: string): Finding => ({ ok: true, detail, mend: "" });
export const bad = (detail: string, mend: string): Finding => ({ ok: false, detail, mend });
export const unknown = (detail: string, mend = ""): Finding => ({ ok: undefined, detail, mend });
