import { describe, expect, it } from 'vitest'

import { number, plural } from '../src/lib/format'
import { bestOf } from '../src/lib/language'

describe('the language', () => {
  it('is the first wanted one that there is a catalogue for', () => {
    expect(bestOf(['fr-CA', 'de-AT', 'en'])).toBe('de')
    expect(bestOf(['en-US', 'de'])).toBe('en')
  })

  it('is English where none is known', () => {
    expect(bestOf(['fr', 'toString'])).toBe('en')
    expect(bestOf([])).toBe('en')
  })
})

describe('numbers and plurals', () => {
  it('have thin spaces at the thousands, also at the first', () => {
    expect(number(1000)).toBe('1\u202f000')
    expect(number(12_408.4)).toBe('12\u202f408')
    expect(number(2.345, 2)).toBe('2.35')
  })

  it('say one and many', () => {
    expect(plural(1, ['# device', '# devices'])).toBe('1 device')
    expect(plural(0, ['# device', '# devices'])).toBe('0 devices')
    expect(plural(1000, ['# device', '# devices'])).toBe('1\u202f000 devices')
  })

  it('follow the rule of a language with more forms', () => {
    const polish = (n: number) => (n === 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 10 || n % 100 >= 20) ? 1 : 2)
    const forms = ['# urządzenie', '# urządzenia', '# urządzeń']
    expect([1, 2, 5].map((n) => plural(n, forms, polish))).toEqual(['1 urządzenie', '2 urządzenia', '5 urządzeń'])
  })
})
