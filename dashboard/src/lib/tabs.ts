/** Which of a row of tabs a key leads to. */

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
}

/** The place that a key leads to from `at`, undefined for a key that leads nowhere (WAI-ARIA, tabs pattern). */
export function tabAfter(key: string, at: number, count: number): number | undefined {
  return Object.hasOwn(STEPS, key) ? STEPS[key]!(at, count) : undefined
}
