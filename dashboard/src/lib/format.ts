/** Numbers, times and shares as people of the page's language read them; pure, so that `now` is passed in. */

import { language, REGION } from './language'

const NBSP = '\u00a0'
const THIN = '\u202f' // narrow no-break space: a number never breaks across lines

// Making a format costs more than a hundred uses of it.
const FORMATS: Intl.NumberFormat[] = []

/** "12 408", "4.1"; with the decimal sign of the language, thousands by a thin space in every one. */
export function number(value: number, digits = 0): string {
  const format = (FORMATS[digits] ??= new Intl.NumberFormat(REGION, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: true }))
  return format.formatToParts(value).map(({ type, value: text }) => (type === 'group' ? THIN : type === 'minusSign' ? '-' : text)).join('')
}

type Rule = (value: number) => number
const ENGLISH: Rule = (value) => (value === 1 ? 0 : 1)

/**
 * The form that fits the number, `#` being the number: plural(2, ['# device', '# devices']) is "2 devices".
 *
 * Both forms stand in the catalogue as one text with its plurals; a language may have more of them. `rule` is filled in when the sources are compiled.
 */
export function plural(value: number, forms: readonly string[], rule: Rule = ENGLISH): string {
  return (forms[rule(value)] ?? forms.at(-1) ?? '').replaceAll('#', number(value))
}

/** A share with its base: "4.1 % of 12 408"; a few are never none, and nearly all are never all. */
export function share(part: number, base: number): string {
  if (base === 0) return '–'
  const percent = (part / base) * 100
  const digits = percent === 0 || percent === 100 ? 0 : 1
  const few = percent > 0 && percent < 0.05
  const nearly = percent >= 99.95 && percent < 100
  const rounded = few ? '<' + number(0.1, 1) : nearly ? '>' + number(99.9, 1) : number(percent, digits)
  return `${rounded} % of ${number(base)}`
}

const STEPS: readonly [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [90, 1, 'second'],
  [5400, 60, 'minute'],
  [129_600, 3600, 'hour'],
  [2_592_000, 86_400, 'day'],
  [31_536_000, 2_592_000, 'month'],
  [Infinity, 31_536_000, 'year'],
]

const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always' })

/** "3 minutes ago", "in 2 hours"; under ten seconds either way "just now". */
export function ago(iso: string, now: number): string {
  const seconds = (Date.parse(iso) - now) / 1000
  if (Math.abs(seconds) < 10) return 'just now'
  const [, size, unit] = STEPS.find(([limit]) => Math.abs(seconds) < limit)!
  return relative.format(Math.round(seconds / size), unit)
}

/** The exact time in the reader's zone, or in `zone`. */
export function exact(iso: string, zone?: string): string {
  return new Intl.DateTimeFormat(REGION, {
    year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
    timeZoneName: 'short', timeZone: zone,
  }).format(new Date(iso))
}

const day = new Intl.DateTimeFormat(REGION, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })

const date = new Intl.DateTimeFormat(REGION, { dateStyle: 'medium', timeStyle: 'short' })

/** A moment that may be far off, to the minute: "1 Jan 2027, 09:00". */
export const dated = (iso: string): string => date.format(new Date(iso))

/** A moment of these days, to the minute: "28 Nov, 07:00". */
export const moment = (iso: string): string => day.format(new Date(iso))

/** A length of time in at most two units: "45 s", "3 min 20 s", "2 h 5 min", "28 days"; number and unit stay together. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole}${NBSP}s`
  const minutes = Math.floor(whole / 60)
  if (whole < 3600) return whole % 60 ? `${minutes}${NBSP}min ${whole % 60}${NBSP}s` : `${minutes}${NBSP}min`
  const hours = Math.floor(whole / 3600)
  if (whole < 86_400) return minutes % 60 ? `${hours}${NBSP}h ${minutes % 60}${NBSP}min` : `${hours}${NBSP}h`
  return plural(Math.floor(whole / 86_400), ['# day', '# days'])
}

/** A text of one small word, which cannot be told from a code: said here, it is put into the catalogue. */
export const word = (text: string): string => text

/** A label within a sentence: "admin" in English; German writes its nouns as the label does. */
export const withinSentence = (label: string): string => (language === 'en' ? label.charAt(0).toLowerCase() + label.slice(1) : label)

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
