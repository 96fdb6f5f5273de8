/** How long an API key holds: what can be chosen, and how near its end is. */

export type Choice = 'd30' | 'd90' | 'd365' | 'date' | 'never'

export const CHOICES: readonly [Choice, string][] = [
  ['d30', 'For 30 days'],
  ['d90', 'For 90 days'],
  ['d365', 'For a year'],
  ['date', 'Until a day you choose'],
  ['never', 'Until it is revoked'],
]

const DAY = 86_400_000

/** When a key ends, as the API takes it; undefined for never. `day` is `2027-01-31`, and the key holds to its end. */
export function expiryFrom(choice: Choice, day: string, now: number): string | undefined {
  if (choice === 'never') return undefined
  if (choice === 'date') return new Date(`${day}T23:59:59`).toISOString()
  return new Date(now + Number(choice.slice(1)) * DAY).toISOString()
}

/** What is wrong with a chosen day, in words. */
export function dayFault(day: string, now: number): string | undefined {
  if (!day) return 'Choose the last day.'
  return Date.parse(`${day}T23:59:59`) > now ? undefined : 'This day is over.'
}

/** Whether a key is at its end, near it, or neither. */
export function nearness(expires: string | null, now: number): 'over' | 'soon' | 'far' | 'never' {
  if (expires === null) return 'never'
  const left = Date.parse(expires) - now
  return left <= 0 ? 'over' : left < 14 * DAY ? 'soon' : 'far'
}
