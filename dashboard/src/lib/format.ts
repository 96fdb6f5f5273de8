/** Numbers, times and shares as people read them; pure, so that `now` is passed in. */

const NBSP = '\u00a0'
const THIN = '\u202f' // narrow no-break space: a number never breaks across lines

export function number(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, THIN)
}

/** "1 device", "1 000 devices". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`
}

/** A share with its base: "4.1 % of 12 408". */
export function share(part: number, base: number): string {
  if (base === 0) return '–'
  const percent = (part / base) * 100
  const digits = percent === 0 || percent === 100 ? 0 : 1
  return `${percent.toFixed(digits)} % of ${number(base)}`
}

const STEPS: readonly [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [90, 1, 'second'],
  [5400, 60, 'minute'],
  [129_600, 3600, 'hour'],
  [2_592_000, 86_400, 'day'],
  [31_536_000, 2_592_000, 'month'],
  [Infinity, 31_536_000, 'year'],
]

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

/** "3 minutes ago", "in 2 hours"; under ten seconds either way "just now". */
export function ago(iso: string, now: number): string {
  const seconds = (Date.parse(iso) - now) / 1000
  if (Math.abs(seconds) < 10) return 'just now'
  const [, size, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit)!
  return relative.format(Math.round(seconds / size), unit)
}

/** The exact time in the reader's zone, or in `zone`. */
export function exact(iso: string, zone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
    timeZoneName: 'short', timeZone: zone,
  }).format(new Date(iso))
}

/** A length of time in at most two units: "45 s", "3 min 20 s", "2 h 5 min", "28 days"; number and unit stay together. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole}${NBSP}s`
  const minutes = Math.floor(whole / 60)
  if (whole < 3600) return whole % 60 ? `${minutes}${NBSP}min ${whole % 60}${NBSP}s` : `${minutes}${NBSP}min`
  const hours = Math.floor(whole / 3600)
  if (whole < 86_400) return minutes % 60 ? `${hours}${NBSP}h ${minutes % 60}${NBSP}min` : `${hours}${NBSP}h`
  return counted(Math.floor(whole / 86_400), 'day')
}

/** Cut in the middle and keep both ends: keys are compared by their ends. */
export function middle(text: string, keep = 12): string {
  return text.length <= keep * 2 + 1 ? text : `${text.slice(0, keep)}…${text.slice(-keep)}`
}

/** A part of an address as it was meant; one that is broken, such as a single %, stays as it is. */
export function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** A secret in groups of four, as it is typed from one screen into another. */
export function grouped(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ')
}
