/** What the conflict detector is asked, and what it finds. */
export interface CheckOptions {
  /** Codes of the checks to run; all of them otherwise. */
  only?: string[] | undefined;
  /** Print the result to the console; true unless you say otherwise. */
  print?: boolean | undefined;
}

export interface Check {
  /** What was looked at; it stays the same. */
  code: string;
  /** Undefined where it could not be told. */
  ok: boolean | undefined;
  /** What was found. */
  detail: string;
  /** What to do about it; empty when all is well. */
  mend: string;
}
