import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { browserOf, isAppleTab, regrant, type Surroundings } from '../src/lib/browser'
import { contactFault, contactFrom, subjectFrom } from '../src/lib/contact'
import { explained, ranked } from '../src/lib/reasons'
import { originFrom, pushBase } from '../src/lib/snippet'
import { tabAfter } from '../src/lib/tabs'

const at = (of: Partial<Surroundings>): Surroundings => ({ userAgent: '', touchPoints: 0, standalone: false, ...of })
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15'
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'
const EDGE = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0'

describe('browser', () => {
  it('knows those that pretend to be others', () => {
    expect(browserOf(EDGE)).toBe('Edge')
    expect(browserOf(EDGE.replace(/ Edg.*/, ''))).toBe('Chrome')
    expect(browserOf(MAC)).toBe('Safari')
  })

  it('explains the Home Screen in an iPhone’s tab, and on an iPad that says it is a Mac', () => {
    expect(isAppleTab(at({ userAgent: IPHONE }))).toBe(true)
    expect(isAppleTab(at({ userAgent: MAC, touchPoints: 5 }))).toBe(true)
    expect(isAppleTab(at({ userAgent: MAC }))).toBe(false)
    expect(isAppleTab(at({ userAgent: IPHONE, standalone: true }))).toBe(false)
  })

  it('says in this browser’s words where to allow it again', () => {
    expect(regrant(at({ userAgent: 'Gecko/20100101 Firefox/140.0' }))).toContain('padlock')
    expect(regrant(at({ userAgent: MAC }))).toContain('Safari’s Settings')
    expect(regrant(at({ userAgent: IPHONE, standalone: true }))).toContain('Settings app')
  })
})

describe('reasons', () => {
  it('puts the most frequent first and leaves out what arrived', () => {
    expect(ranked({ timed_out: 3, sent: 900, gone: 12, throttled: 0 }).map((row) => row.reason)).toEqual(['gone', 'timed_out'])
  })

  it('shows an unknown answer with its status and an unknown reason as it is', () => {
    expect(explained('unmapped_418').what).toContain('418')
    expect(explained('something_new').what).toBe('something new')
  })

  it.each(['providers/webpush/outcomes.py', 'providers/fcm/outcomes.py', 'providers/apns/outcomes.py', 'providers/webhook/outcomes.py', 'domain/delivery.py', 'domain/content.py', 'domain/outcome.py', 'domain/subscription.py'])(
    'has words, and a way to mend it, for every reason that %s gives',
    (file) => {
      const source = readFileSync(new URL(`../../src/tidings/${file}`, import.meta.url), 'utf8')
      const tables = [...source.matchAll(/^class (?:\w*Reason|ContentFault|Doubt|Ending)\(StrEnum\):[\s\S]*?(?=^\S|(?![\s\S]))/gm)].map(([table]) => table)
      const reasons = tables.flatMap((table) => [...table.matchAll(/^ {4}[A-Z_]+ = "([a-z_]+)"/gm)].map((found) => found[1]!))
      expect(reasons.length).toBeGreaterThan(2)
      for (const reason of reasons) {
        expect(explained(reason).what, reason).not.toBe(reason.replaceAll('_', ' '))
        expect(explained(reason).todo, reason).toBeTruthy()
      }
    },
  )

  it.each(['services/integrations.py', 'services/credentials.py', 'storage/erasures.py'])('has words for what %s ends subscriptions with', (file) => {
    const source = readFileSync(new URL(`../../src/tidings/${file}`, import.meta.url), 'utf8')
    const reasons = [...source.matchAll(/^(?:\w+_REASON|ERASED) = "([a-z_]+)"/gm)].map((found) => found[1]!)
    expect(reasons).toHaveLength(1)
    for (const reason of reasons) expect(explained(reason).what, reason).not.toBe(reason.replaceAll('_', ' '))
  })

  it('takes no name of JavaScript’s own for a reason', () => {
    expect(explained('constructor').what).toBe('constructor')
  })
})

describe('contact', () => {
  it('takes an address as people write it', () => {
    expect(subjectFrom(' you@example.com ')).toBe('mailto:you@example.com')
    expect(subjectFrom('https://example.com/contact')).toBe('https://example.com/contact')
    expect(contactFrom('mailto:you@example.com')).toBe('you@example.com')
  })

  it.each(['', 'you', 'you@localhost', 'http://example.com', 'you@example.'])('refuses %j', (typed) => {
    expect(contactFault(typed)).toBeTypeOf('string')
  })

  it.each(['you@example.com', 'mailto:you@example.com', 'https://example.com'])('takes %j', (typed) => {
    expect(contactFault(typed)).toBeUndefined()
  })
})

describe('tabs', () => {
  it.each([
    ['ArrowRight', 0, 1], ['ArrowRight', 2, 0], ['ArrowLeft', 0, 2], ['ArrowLeft', 2, 1], ['Home', 2, 0], ['End', 0, 2],
    ['Enter', 1, undefined], ['constructor', 1, undefined],
  ])('%s at %i leads to %j', (key, at, to) => {
    expect(tabAfter(key, at, 3)).toBe(to)
  })
})

describe('snippet', () => {
  it('names the App only where there are several', () => {
    expect(pushBase('https://push.example.com')).toBe('https://push.example.com/push')
    expect(pushBase('https://push.example.com', 'app_1')).toBe('https://push.example.com/v1/app_1/push')
  })

  it('makes an origin of what was pasted', () => {
    expect(originFrom('www.example.com/some/page?x=1')).toBe('https://www.example.com')
    expect(originFrom('https://www.example.com:8443/')).toBe('https://www.example.com:8443')
    expect(originFrom('http://localhost:3000')).toBe('http://localhost:3000')
  })

  it.each(['http://www.example.com', 'ftp://example.com', 'shop', '', 'https://'])('refuses the origin %j', (typed) => {
    expect(originFrom(typed)).toBeUndefined()
  })
})
