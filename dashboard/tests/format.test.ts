import { describe, expect, it } from 'vitest'

import { ago, decoded, duration, exact, middle, number, share } from '../src/lib/format'

const spaced = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ')

describe('number', () => {
  it.each([[0, '0'], [999, '999'], [1000, '1 000'], [12_408, '12 408'], [1_234_567, '1 234 567']])('writes %d as %s', (value, words) => {
    expect(spaced(number(value))).toBe(words)
  })

  it('never lets a number break across lines', () => {
    expect(number(1_234_567)).not.toContain(' ')
  })
})

describe('share', () => {
  it('names its base', () => {
    expect(spaced(share(509, 12_408))).toBe('4.1 % of 12 408')
  })

  it('says nothing of nobody', () => {
    expect(share(0, 0)).toBe('–')
  })

  it('rounds a few not to none, and nearly all not to all', () => {
    expect(spaced(share(10, 100_000))).toBe('<0.1 % of 100 000')
    expect(spaced(share(99_990, 100_000))).toBe('>99.9 % of 100 000')
    expect(spaced(share(9, 9))).toBe('100 % of 9')
  })
})

describe('ago', () => {
  const now = Date.parse('2027-01-01T12:00:00Z')

  it.each([
    ['2027-01-01T11:59:55Z', 'just now'],
    ['2027-01-01T11:59:00Z', '60 seconds ago'],
    ['2027-01-01T11:57:00Z', '3 minutes ago'],
    ['2027-01-01T09:00:00Z', '3 hours ago'],
    ['2026-12-29T12:00:00Z', '3 days ago'],
    ['2026-10-01T12:00:00Z', '3 months ago'],
    ['2024-12-31T12:00:00Z', '2 years ago'],
    ['2027-01-01T14:00:00Z', 'in 2 hours'],
  ])('tells %s as %s', (at, words) => {
    expect(ago(at, now)).toBe(words)
  })
})

describe('exact', () => {
  it('shows the reader’s zone', () => {
    expect(exact('2027-01-01T12:00:00Z', 'Europe/Vienna')).toBe('1 Jan 2027, 13:00:00 CET')
  })
})

describe('duration', () => {
  it.each([[-3, '0 s'], [45, '45 s'], [60, '1 min'], [200, '3 min 20 s'], [7500, '2 h 5 min'], [86_400, '1 day'], [2_419_200, '28 days']])(
    'writes %d seconds as %s',
    (seconds, words) => {
      expect(spaced(duration(seconds))).toBe(words)
    },
  )
})

describe('middle', () => {
  it('keeps both ends of a long key and all of a short one', () => {
    expect(middle('abcdefghijklmnopqrstuvwxyz', 3)).toBe('abc…xyz')
    expect(middle('abcdefg', 3)).toBe('abcdefg')
  })
})

describe('decoded', () => {
  it('reads an address that is broken as it stands', () => {
    expect(decoded('ntf_1%20x')).toBe('ntf_1 x')
    expect(decoded('100%')).toBe('100%')
  })
})
