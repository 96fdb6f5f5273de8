/** An error that says what happened and how to mend it; `code` is stable. */
export class TidingsError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "TidingsError";
    this.code = code;
  }
}

/** Wait for a promise, but not for ever: a browser that cannot reach its push service may never answer. */
export function within<T>(what: string, promise: Promise<T>, seconds = 15): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new TidingsError("timed_out", `${what} took longer than ${seconds} s.`)),
      seconds * 1000,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Make a TidingsError of what was caught; one that is one already passes. */
export function rethrow(code: string, words: (cause: unknown) => string): (cause: unknown) => never {
  return (cause) => {
    throw cause instanceof TidingsError ? cause : new TidingsError(code, words(cause), cause);
  };
}
