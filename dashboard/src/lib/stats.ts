/** Delivery analytics in words: spans of days, names of what is told apart, and what nobody can measure. */

import type { FunnelCounts, Stats, StatsCounts, StatsLine, StatsSpan } from './api'
import { number, share } from './format'
import { REGION } from './language'

export const SPANS = [7, 30, 90] as const
const USUAL = 30
const DAY = 86_400_000 // milliseconds
const ISO_DAY = /^\d{4}-\d\d-\d\d$/

export interface Chosen extends StatsSpan {
  /** One of SPANS, or undefined for days of one's own. */
  days: number | undefined
}

const dayOf = (moment: number) => new Date(moment).toISOString().slice(0, 10)

/** The last so many days, today counted in; days are those of UTC, as the server counts them. */
export function lastDays(days: number, now: number): StatsSpan {
  return { from: dayOf(now - (days - 1) * DAY), to: dayOf(now) }
}

/** The days that an address names, or the last 30. */
export function chosenIn(search: URLSearchParams, now: number): Chosen {
  const from = search.get('from') ?? '', to = search.get('to') ?? ''
  if (ISO_DAY.test(from) && ISO_DAY.test(to)) return { from, to, days: undefined }
  const wanted = Number(search.get('days'))
  const days = SPANS.find((one) => one === wanted) ?? USUAL
  return { ...lastDays(days, now), days }
}

/** Seconds since 1970 of the beginning of a day of UTC. */
export const secondsOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 1000

const WITH_YEAR = new Intl.DateTimeFormat(REGION, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
const SHORT = new Intl.DateTimeFormat(REGION, { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** "Fri, 27 Nov 2026". */
export const fullDay = (seconds: number): string => WITH_YEAR.format(seconds * 1000)

/** "27 Nov". */
export const shortDay = (seconds: number): string => SHORT.format(seconds * 1000)

/** Whether anything at all was counted. */
export const anything = (counts: StatsCounts | FunnelCounts): boolean => Object.values(counts).some((count) => count > 0)

/** What a push service was asked to take: who was skipped was never tried. */
export const tried = ({ sent, failed, expired }: StatsCounts): number => sent + failed + expired

/** A share with what it is a share of: "98.2 % of 12 408 tried". */
export function rate(part: number, base: number, of: string): string {
  return base === 0 ? `nothing ${of}` : `${share(part, base)} ${of}`
}

/** How many did not get it, by what became of it; what became of nobody is left out: "22 failed, 3 skipped." */
export function missedInWords({ failed, expired, skipped }: StatsCounts): string {
  const parts = [failed > 0 && `${number(failed)} failed`, expired > 0 && `${number(expired)} expired`, skipped > 0 && `${number(skipped)} skipped`]
  return `${parts.filter(Boolean).join(', ')}.`
}

const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  service: {
    google: 'Google, for browsers', mozilla: 'Mozilla', apple: 'Apple, for Safari', microsoft: 'Microsoft', fcm: 'FCM, for apps', apns: 'APNs, for apps',
    apns_sandbox: 'APNs, sandbox', webhook: 'A server of your own', other: 'Another push service', unknown: 'None: it was not tried',
  },
  browser: { unknown: 'An app, or not known', other: 'Another browser' },
  source: { api: 'The API and Send Push', trigger: 'Triggers', test: 'Tests' },
}

/** What a line is called; a value that nobody foresaw is its own name. */
export function nameOf(by: Stats['by'], key: string): string {
  const names = NAMES[by] ?? {}
  return Object.hasOwn(names, key) ? names[key]! : key
}

const LATE = 'Safari reports a show only with the next click or visit, so the figure is too low.'
const APPS = 'An app is counted here only if it reports what was shown and clicked.'
const SERVERS = 'Your server is counted here only if it reports what was shown and clicked.'

const UNMEASURED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  service: { apple: LATE, fcm: APPS, apns: APPS, apns_sandbox: APPS, webhook: SERVERS },
  browser: { Safari: LATE, unknown: APPS },
}

/** Why shows or clicks of a line are not all there are, or undefined where they are. */
export function unmeasured(by: Stats['by'], key: string, what: 'shown' | 'clicked'): string | undefined {
  const notes = UNMEASURED[by] ?? {}
  const note = Object.hasOwn(notes, key) ? notes[key] : undefined
  return what === 'clicked' && note === LATE ? undefined : note
}

/** Why how many were not reached. */
export function missed(lines: readonly StatsLine[]): Record<string, number> {
  const found = lines.map(({ key, failed, expired, skipped }) => [key, failed + expired + skipped] as const)
  return Object.fromEntries(found.filter(([key, count]) => key && count > 0))
}

/** How much people did, all kinds together. */
export const reported = ({ shown, clicked, closed, answered }: Pick<StatsCounts, 'shown' | 'clicked' | 'closed' | 'answered'>): number => shown + clicked + closed + answered

const MOMENT = new Intl.DateTimeFormat(REGION, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
const CLOCK = new Intl.DateTimeFormat(REGION, { hour: '2-digit', minute: '2-digit' })
const DATE = new Intl.DateTimeFormat(REGION, { day: 'numeric', month: 'short' })

/** "27 Nov, 09:05", in the reader's zone. */
export const fullMoment = (seconds: number): string => MOMENT.format(seconds * 1000)

/** As short as the distance between points lets it be: the clock within hours, the day within weeks. */
export const shortMoment = (seconds: number, step: number): string => (step < 1800 ? CLOCK : step < 43_200 ? MOMENT : DATE).format(seconds * 1000)
