import { describe, expect, it } from 'vitest'

import type { Integration, Notification, System } from '../src/lib/api'
import { matters } from '../src/lib/attention'

const system = (of: Partial<System> = {}): System => ({
  version: '1', python: '3.11', platform: 'Linux', now: '2027-01-01T00:00:00Z', database: { kind: 'sqlite', version: '3.51.3', warning: null },
  workers: [{ id: 'w', host: 'h', pid: 1, senders: 2, started_at: '', seen_at: '' }], queue_lag_seconds: 0, paused: null, public_url: null, insecure_endpoints: false, ...of,
})

const push = (of: Partial<Integration> = {}): Integration => ({
  id: 'int_1', provider: 'webpush', label: 'webpush', configured: true, settings: { subject: 'mailto:a@example.com' }, paused_because: null,
  keys: [{ fingerprint: 'k', public_key: 'k', status: 'current', subscriptions: 1, created_at: null }],
  expires_at: null, tested: null, unseen: null, suspected: null, ...of,
})

const ids = (integration: Integration, now: System) => matters({ integrations: [integration], system: now }).map((matter) => matter.id)

describe('matters', () => {
  it('has nothing to say while everything works', () => {
    expect(ids(push(), system())).toEqual([])
  })

  it('asks for keys, and for the contact only once there are keys', () => {
    expect(ids(push({ keys: [], settings: {} }), system())).toEqual(['no-key'])
    expect(ids(push({ settings: {} }), system())).toEqual(['no-contact'])
  })

  it('does not take a retired key for one that new subscribers can use', () => {
    const [key] = push().keys
    expect(ids(push({ keys: [{ ...key!, status: 'retired' }] }), system())).toEqual(['no-key'])
  })

  it('blames the missing worker and not the queue that waits for it', () => {
    expect(ids(push(), system({ workers: [], queue_lag_seconds: 900 }))).toEqual(['no-worker'])
    expect(ids(push(), system({ queue_lag_seconds: 900 }))).toEqual(['lag'])
  })

  it('names a second worker only where there may be one', () => {
    const of = (kind: string) => matters({ integrations: [push()], system: system({ queue_lag_seconds: 900, database: { kind, version: null, warning: null } }) })[0]?.detail
    expect(of('sqlite')).not.toContain('tidings worker')
    expect(of('postgresql')).toContain('`tidings worker`')
  })

  it('comes first while everything is paused, with who and why', () => {
    const paused = { since: '2027-01-01T00:00:00Z', by: 'Anna', reason: 'Wrong link' }
    const [first, second] = matters({ integrations: [push({ paused_because: 'jwt_refused' })], system: system({ paused }) })
    expect([first?.id, second?.id]).toEqual(['paused-all', 'paused-int_1'])
    expect(first?.detail).toContain('Paused by Anna. Reason: Wrong link.')
  })

  it('says first what keeps things from being sent, then what may do so later', () => {
    const ends = push({ id: 'int_2', provider: 'apns', expires_at: '2027-01-13T00:00:00Z' })
    const found = matters({ integrations: [ends, push({ paused_because: 'jwt_refused' })], system: system({ workers: [] }) })
    expect(found.map(({ id }) => id)).toEqual(['no-worker', 'paused-int_1', 'ends-int_2'])
  })

  it('tells of devices that are suspected, with the way to mend it', () => {
    const one = { integration: 'int_2', provider: 'apns', label: 'Apple Production', detail: '3 devices seem to be of another environment.', mend: 'Have the app register.' }
    const found = [{ ...one, matter: 'devices_suspected' as const }, { ...one, matter: 'integration_paused' as const }]
    expect(matters({ integrations: [push()], system: system(), found })).toMatchObject([{
      id: 'suspected-int_2', tone: 'warning', title: 'Some devices of APNs, Apple Production are suspected', detail: `${one.detail} ${one.mend}`, action: { href: '/settings/integrations/int_2' },
    }])
  })

  it('tells of a webhook that was turned off, and where to turn it on', () => {
    const found = [{ integration: 'whk_1', provider: '', label: 'Our CRM', matter: 'webhook_disabled' as const, detail: 'It took nothing for days.', mend: 'Turn it on.' }]
    expect(matters({ integrations: [push()], system: system(), found })).toMatchObject([{
      id: 'webhook-whk_1', tone: 'error', title: 'The webhook Our CRM was turned off', action: { href: '/settings/webhooks/whk_1' },
    }])
  })

  it('links what is held: one by itself, several by their list', () => {
    const notifications = [{ id: 'ntf_2', title: 'Later', held_because: null }, { id: 'ntf_1', title: 'Storm', held_because: 'repeat_tripwire' }] as Notification[]
    const of = (held: number) => matters({ integrations: [push()], system: system(), held, notifications })
    expect(of(0)).toEqual([])
    expect(of(1)[0]).toMatchObject({ title: '“Storm” is held', action: { href: '/notifications/ntf_1' } })
    expect(of(2)[0]).toMatchObject({ title: '2 notifications held', action: { href: '/notifications' } })
  })

  it('offers to resume a paused integration on the spot, in words', () => {
    const [matter] = matters({ integrations: [push({ paused_because: 'jwt_refused' })], system: system() })
    expect(matter!.action).toEqual({ label: 'Resume', resume: 'int_1' })
    expect(matter!.detail).toContain('refused our signature')
  })

  it('resumes each of several integrations of a provider by its id and names it by its label', () => {
    const paused = (id: string, label: string) => push({ id, label, provider: 'fcm', paused_because: 'permission_missing' })
    const all = matters({ integrations: [push(), paused('int_2', 'Firebase Production'), paused('int_3', 'Firebase Staging')], system: system() })
    expect(all.map(({ title, action }) => [title, action.resume])).toEqual([
      ['FCM, Firebase Production is paused', 'int_2'], ['FCM, Firebase Staging is paused', 'int_3'],
    ])
    expect(all[0]!.detail).toContain('IAM')
  })

  it.each([
    ['2027-01-13T00:00:00Z', 'ends in 12 days', 'warning'], ['2027-01-02T12:00:00Z', 'ends in 2 days', 'error'], ['2026-12-31T00:00:00Z', 'has ended', 'error'],
  ])('says of a certificate until %s that it %s', (expires_at, words, tone) => {
    const [matter] = matters({ integrations: [push(), push({ id: 'int_2', provider: 'apns', label: 'Apple', expires_at })], system: system() })
    expect([matter?.title.includes(words), matter?.tone, matter?.action.href]).toEqual([true, tone, '/settings/integrations/int_2'])
    expect(matters({ integrations: [push(), push({ provider: 'apns', expires_at: '2027-03-01T00:00:00Z' })], system: system() })).toEqual([])
  })

  it('gives every matter a way out', () => {
    const all = matters({ integrations: [push({ keys: [], paused_because: 'x' })], system: system({ workers: [], database: { kind: 'sqlite', version: '3', warning: 'Old.' } }) })
    expect(all).toHaveLength(3)
    for (const { action } of all) expect(action.href ?? action.resume).toBeTruthy()
  })
})
