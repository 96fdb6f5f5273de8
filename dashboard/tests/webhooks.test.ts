import { describe, expect, it } from 'vitest'

import type { Webhook } from '../src/lib/api'
import { FIRST, GROUPS, healthOf, hostOf, nameOf, outcomeOf, urlFault } from '../src/lib/webhooks'

const webhook = (changes: Partial<Webhook> = {}): Webhook => ({
  id: 'whk_1', url: 'https://hooks.example.com/x', events: [...FIRST], description: '', enabled: true, disabled_because: null, failures: 0,
  failing_since: null, succeeded_at: null, earlier_secret_until: null, created_at: '2027-01-01T00:00:00Z', updated_at: '2027-01-01T00:00:00Z', ...changes,
})

describe('a webhook', () => {
  it('goes by its description, else by its host', () => {
    expect(nameOf(webhook())).toBe('hooks.example.com')
    expect(nameOf(webhook({ description: 'Our CRM' }))).toBe('Our CRM')
    expect(hostOf('junk')).toBe('junk')
  })

  it('says how it is, the worst first', () => {
    expect(healthOf(webhook())).toEqual({ tone: 'success', label: 'On' })
    expect(healthOf(webhook({ failures: 1 })).label).toBe('The last call failed')
    expect(healthOf(webhook({ failures: 4 }))).toEqual({ tone: 'warning', label: 'The last 4 calls failed' })
    expect(healthOf(webhook({ enabled: false }))).toEqual({ tone: 'quiet', label: 'Off' })
    expect(healthOf(webhook({ enabled: false, disabled_because: 'gone' })).label).toContain('410')
    expect(healthOf(webhook({ enabled: false, disabled_because: 'failing' })).tone).toBe('error')
  })

  it('is told of something unless somebody chooses otherwise, and of nothing twice', () => {
    const all = GROUPS.flatMap(([, events]) => events.map(([value]) => value))
    expect(new Set(all).size).toBe(all.length)
    expect(FIRST.every((one) => all.includes(one))).toBe(true)
  })
})

describe('an address', () => {
  it.each(['', '   ', 'example', 'ftp://example.com/'])('%o is none', (url) => expect(urlFault(url)).toBeTruthy())
  it.each(['https://www.example.com/x', ' https://a.example:8443/ ', 'http://127.0.0.1:8000/x'])('%o is one', (url) => expect(urlFault(url)).toBeUndefined())
})

describe('a try', () => {
  it('says what came back, or why nothing did', () => {
    expect(outcomeOf({ status: 503, failure: '' })).toBe('HTTP 503')
    expect(outcomeOf({ status: null, failure: 'timeout' })).toBe('No answer within ten seconds')
    expect(outcomeOf({ status: null, failure: 'new_kind' })).toBe('Failed: new_kind')
    expect(outcomeOf({ status: null, failure: '' })).toBe('Not tried yet')
  })
})
