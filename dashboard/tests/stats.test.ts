import { describe, expect, it } from 'vitest'

import { DAYS, optionsOf, spread } from '../src/lib/chart'
import { anything, chosenIn, fullDay, lastDays, missed, missedInWords, nameOf, rate, secondsOf, shortDay, tried, unmeasured } from '../src/lib/stats'
import { calledAs, withGaps } from '../src/lib/titles'

const NOW = Date.parse('2026-11-27T23:30:00Z')
const counts = (of = {}) => ({ sent: 0, failed: 0, expired: 0, skipped: 0, shown: 0, clicked: 0, closed: 0, answered: 0, ...of })
const spaced = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ')

describe('who did not get it', () => {
  it('is told without what became of nobody', () => {
    expect(missedInWords(counts({ failed: 22 }))).toBe('22 failed.')
    expect(spaced(missedInWords(counts({ failed: 1, expired: 2, skipped: 3000 })))).toBe('1 failed, 2 expired, 3 000 skipped.')
  })
})

describe('the days that an address names', () => {
  it('counts today in, by UTC', () => {
    expect(lastDays(7, NOW)).toEqual({ from: '2026-11-21', to: '2026-11-27' })
    expect(lastDays(1, NOW)).toEqual({ from: '2026-11-27', to: '2026-11-27' })
  })

  it.each([['', 30], ['days=7', 7], ['days=90', 90], ['days=8', 30], ['days=', 30], ['from=2026-01-01', 30], ['from=x&to=y', 30]])('reads %o as %d days', (search, days) => {
    expect(chosenIn(new URLSearchParams(search), NOW)).toEqual({ ...lastDays(days, NOW), days })
  })

  it('takes days of one’s own as they are', () => {
    expect(chosenIn(new URLSearchParams('from=2026-01-01&to=2026-02-01&days=7'), NOW)).toEqual({ from: '2026-01-01', to: '2026-02-01', days: undefined })
  })

  it('writes a day of UTC, wherever the reader is', () => {
    expect(shortDay(secondsOf('2026-11-01'))).toBe('1 Nov')
    expect(fullDay(secondsOf('2026-11-01'))).toMatch(/^Sun,? 1 Nov 2026$/)
  })
})

describe('figures', () => {
  it('names the base of a rate', () => {
    expect(spaced(rate(611, 12_408, 'sent'))).toBe('4.9 % of 12 408 sent')
    expect(rate(0, 0, 'sent')).toBe('nothing sent')
  })

  it('leaves out of the base who was never tried', () => {
    expect(tried(counts({ sent: 5, failed: 2, expired: 1, skipped: 9 }))).toBe(8)
  })

  it('counts every way of not being reached', () => {
    const lines = [{ key: 'gone', ...counts({ failed: 2, expired: 3 }) }, { key: 'cancelled', ...counts({ skipped: 4 }) }, { key: '', ...counts({ sent: 9 }) }]
    expect(missed(lines)).toEqual({ gone: 5, cancelled: 4 })
  })

  it('knows nothing from something', () => {
    expect(anything(counts())).toBe(false)
    expect(anything(counts({ closed: 1 }))).toBe(true)
  })
})

describe('names', () => {
  it('says what is known and leaves what is not', () => {
    expect(nameOf('source', 'trigger')).toBe('Triggers')
    expect(nameOf('browser', 'Firefox')).toBe('Firefox')
    expect(nameOf('service', 'constructor')).toBe('constructor')
  })

  it('says what nobody can measure', () => {
    expect(unmeasured('browser', 'Safari', 'shown')).toMatch('too low')
    expect(unmeasured('browser', 'Safari', 'clicked')).toBeUndefined()
    expect(unmeasured('service', 'fcm', 'clicked')).toMatch('only if it reports')
    expect(unmeasured('browser', 'Firefox', 'shown')).toBeUndefined()
    expect(unmeasured('source', 'api', 'shown')).toBeUndefined()
  })
})

describe('names at the ends of lines', () => {
  it('stay where they are if there is room', () => {
    expect(spread([10, 90, 50], { between: 15, most: 100 })).toEqual([10, 90, 50])
  })

  it('make way for each other and stay inside', () => {
    const placed = spread([98, 99, 97], { between: 15, most: 100 })
    expect(placed[2]! < placed[0]! && placed[0]! < placed[1]!).toBe(true)
    expect(placed[1]! - placed[0]!).toBeGreaterThanOrEqual(15)
    expect(Math.max(...placed)).toBeLessThanOrEqual(100)
  })
})

describe('what a notification is called', () => {
  const names = new Map([['trg_1', 'Call an operator']])
  const made = { title: '{{ bot.name }} needs you, {{ user.name | default: "friend" }}', body: 'Come{% if late %} soon{% endif %}', trigger: 'trg_1' }

  it('is its title, as long as everybody reads the same', () => {
    expect(calledAs({ title: 'Fresh fish', body: 'Today', trigger: 'trg_1' }, names)).toEqual({ title: 'Fresh fish', text: 'Today' })
  })

  it('is the trigger that made it for each anew', () => {
    expect(calledAs(made, names)).toEqual({ title: 'Call an operator', text: '‹bot.name› needs you, ‹user.name›' })
  })

  it('has gaps where the trigger is not known, or there is none', () => {
    expect(calledAs(made, new Map())).toEqual({ title: '‹bot.name› needs you, ‹user.name›', text: 'Come soon' })
    expect(calledAs({ ...made, trigger: null }, names).title).toBe('‹bot.name› needs you, ‹user.name›')
    expect(withGaps('{{bot.name}}')).toBe('‹bot.name›')
  })
})

describe('the marks beside a chart', () => {
  it('are whole numbers', () => {
    const { axes } = optionsOf({ host: { clientWidth: 320 } as HTMLElement, series: [], short: shortDay, steps: DAYS, height: 200, choose: () => undefined })
    const values = axes![1]!.values as (plot: unknown, splits: number[]) => string[]
    expect(values(undefined, [0, 500, 1000])).toEqual(['0', '500', '1\u202f000'])
  })
})
