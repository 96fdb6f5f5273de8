import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import type { Entry } from '../src/lib/api'
import { actorOf, byWhom, deedOf, knows, rowsOf, spanFrom } from '../src/lib/audit'
import { dayFault, expiryFrom, nearness } from '../src/lib/expiry'
import { recoveryText } from '../src/lib/files'
import { grouped } from '../src/lib/format'
import { hintOf } from '../src/lib/password'
import { rolesToGive, ROLES, whyNot } from '../src/lib/permission'
import { domainsFrom, idFrom, issuerFault, redirectOf } from '../src/lib/providers'
import { refusalFrom } from '../src/lib/refusals'
import { signInFor, wantedFrom, whyEnded } from '../src/lib/returning'
import { FINER, SCOPES, scopesInWords } from '../src/parts/keys/scopes'

const spaced = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ')
const source = (file: string) => readFileSync(new URL(`../../src/tidings/${file}`, import.meta.url), 'utf8')
const DAY = 86_400_000

describe('returning', () => {
  it('leads to the page that was asked for and back', () => {
    const asked = '/settings/audit?action=key.created&from=2027-01-01'
    expect(wantedFrom(new URL(signInFor(asked), 'https://x').searchParams.get('next'))).toBe(asked)
    expect(signInFor('/')).toBe('/sign-in')
    expect(signInFor('/invite#token')).toBe('/sign-in')
  })

  it.each([null, '', 'https://evil.example', '//evil.example', '/\\evil.example', '/\t/evil.example', 'javascript:alert(1)', '/api/v1/session', '/sign-in', '/setup'])('goes home instead of to %j', (next) => {
    expect(wantedFrom(next)).toBe('/')
  })

  it('says why a session is over', () => {
    const visit = { seen_at: 0, expires_at: 90 * DAY }
    expect(whyEnded(visit, 14 * DAY)).toBe('You were signed out after 14 days without a visit.')
    expect(whyEnded(visit, 2 * DAY)).toContain('another device')
    expect(whyEnded({ seen_at: 85 * DAY, expires_at: 90 * DAY }, 91 * DAY)).toContain('even in use')
  })
})

describe('a password', () => {
  it.each([
    ['', 0], ['short', 1], ['aaaaaaaaaaaa', 1], ['password1234', 1], ['qwertyuiop12', 1], ['anna@example', 1],
    ['quay-nine-fish', 2], ['correct horse battery staple', 3],
  ])('%j is of strength %i', (typed, level) => {
    expect(hintOf(typed, ['Anna Berger', 'anna@example.com']).level).toBe(level)
  })

  it('says how many characters are missing', () => {
    expect(hintOf('123456789').words).toBe('1 more character.')
  })
})

describe('permissions', () => {
  it('have words for everything that the server knows of Apps and the instance', () => {
    const names = [...source('domain/permission.py').matchAll(/^ {4}[A-Z_]+ = "([a-z_]+\.[a-z_]+)"/gm)].map((found) => found[1]!)
    expect(names.length).toBeGreaterThan(15)
    for (const name of names) expect(whyNot(name, { role: 'viewer', app: undefined }), name).not.toContain('may not do this')
  })

  it('name the role and the App, and who can change it', () => {
    expect(whyNot('message.send', { role: 'viewer', app: 'Harbour News' })).toBe('As a viewer of Harbour News you may not send notifications. An owner or admin can change your role.')
    expect(whyNot('instance.manage', { role: 'owner', app: undefined })).toBe('Only a super admin may change the instance.')
  })

  it('let nobody but owners make owners', () => {
    expect(rolesToGive(false).map(([role]) => role)).toEqual(['viewer', 'editor', 'admin'])
    expect(rolesToGive(true)).toEqual(ROLES)
  })

  it('have words for every scope of an API key', () => {
    const scopes = [.../class Scope\(StrEnum\):[\s\S]*?\n\n\n/.exec(source('domain/permission.py'))![0].matchAll(/^ {4}[A-Z_]+ = "([a-z_:]+)"/gm)].map((found) => found[1]!)
    expect(scopes.sort()).toEqual([...SCOPES, ...FINER].map(([scope]) => scope).sort())
    expect(scopesInWords(['send', 'read', 'fly'])).toBe('Read, Send, fly')
    expect(scopesInWords([...SCOPES, ...FINER].map(([scope]) => scope))).toBe('Everything')
  })
})

describe('the audit log', () => {
  const entry = (of: Partial<Entry>): Entry => ({ id: 1, at: '2027-01-01T00:00:00Z', actor: { kind: 'member', id: 'mem_1', name: 'Anna' }, action: 'notification.created', subject: { kind: 'notification', id: 'ntf_1', name: 'Fresh fish' }, detail: {}, address: null, ...of })
  const told = (of: Partial<Entry>) => spaced(`${actorOf(entry(of))} ${deedOf(entry(of))}`)

  it('calls whoever runs the server the same everywhere', () => {
    expect(actorOf(entry({ actor: { kind: 'operator', id: null, name: 'operator' } })).toLowerCase()).toBe(byWhom('operator'))
    expect(byWhom('Anna')).toBe('Anna')
  })

  it('reads as sentences', () => {
    expect(told({ detail: { audience: 12_408 } })).toBe('Anna sent “Fresh fish” to 12 408 devices')
    expect(told({ action: 'member.role_changed', subject: { kind: 'member', id: 'mem_2', name: 'Jo' }, detail: { from: 'viewer', to: 'editor' } })).toBe('Anna made Jo editor, who was viewer')
    expect(told({ subject: { kind: 'notification', id: 'ntf_1', name: null }, detail: { audience: 1 } })).toBe('Anna sent a personal notification to 1 device')
    expect(told({ action: 'notification.held_cancelled', subject: { kind: 'notifications', id: null, name: null }, detail: { count: 2 } })).toBe('Anna cancelled 2 notifications that had been held as a likely accident')
    expect(told({ action: 'member.created', subject: { kind: 'member', id: 'mem_1', name: 'Anna' } })).toBe('Anna became a member')
    expect(told({ actor: { kind: 'key', id: 'key_1', name: 'Shop server' } })).toBe('API key Shop server sent “Fresh fish”')
    expect(told({ actor: { kind: 'nobody', id: null, name: '' }, action: 'session.sign_in_refused', subject: { kind: 'session', id: null, name: null } })).toBe('Somebody was refused at signing in')
  })

  it('has a sentence for everything that the server writes, which needs no detail', () => {
    const actions = [.../class Action\(StrEnum\):[\s\S]*?\n\n\n/.exec(source('domain/audit.py'))![0].matchAll(/^ {4}[A-Z_]+ = "([a-z_.]+)"/gm)].map((found) => found[1]!)
    expect(actions.length).toBeGreaterThan(40)
    for (const action of actions) {
      expect(knows(action), action).toBe(true)
      expect(deedOf(entry({ action, subject: null })), action).not.toMatch(/undefined|null|“”/)
    }
  })

  it('tells an unknown action as it is', () => {
    expect(told({ action: 'kite.flown' })).toBe('Anna kite flown “Fresh fish”')
  })

  it('shows the detail as rows', () => {
    expect(rowsOf({ dry_run: true, to: 'x', list: ['a', 'b'], deep: { a: 1 }, at: null })).toEqual([['Dry run', 'yes'], ['To', 'x'], ['List', 'a, b'], ['Deep', '{"a":1}'], ['At', '–']])
  })

  it('takes whole days, the last one with its evening', () => {
    const { after, before } = spanFrom('2027-03-01', '2027-03-01')
    expect(new Date(after!).getHours()).toBe(0)
    expect((Date.parse(before!) - Date.parse(after!)) / DAY).toBe(1)
    expect(spanFrom('', '')).toEqual({})
  })
})

describe('an API key', () => {
  const now = Date.parse('2027-01-01T12:00:00Z')

  it('holds as long as was chosen', () => {
    expect(expiryFrom('d30', '', now)).toBe('2027-01-31T12:00:00.000Z')
    expect(expiryFrom('never', '', now)).toBeUndefined()
    expect(new Date(expiryFrom('date', '2027-02-01', now)!).getHours()).toBe(23)
    expect([dayFault('', now), dayFault('2026-12-31', now)].every(Boolean)).toBe(true)
    expect(dayFault('2027-01-02', now)).toBeUndefined()
  })

  it('is near its end for two weeks', () => {
    expect([null, '2026-12-31T00:00:00Z', '2027-01-10T00:00:00Z', '2027-02-10T00:00:00Z'].map((at) => nearness(at, now))).toEqual(['never', 'over', 'soon', 'far'])
  })
})

describe('providers', () => {
  it('get an id that is free', () => {
    expect(idFrom('Müller & Söhne SSO', [])).toBe('muller-sohne-sso')
    expect(idFrom('Google', ['google', 'google-2'])).toBe('google-3')
    expect(idFrom('—', [])).toBe('provider')
  })

  it('know where people come back to', () => {
    expect(redirectOf('https://push.example.com/', 'google')).toBe('https://push.example.com/api/v1/session/oidc/google/callback')
  })

  it('read domains as people write them', () => {
    expect(domainsFrom('@Example.com, example.org;example.com')).toEqual(['example.com', 'example.org'])
  })

  it('want an issuer without a gap', () => {
    expect(issuerFault('https://accounts.google.com')).toBeUndefined()
    expect(issuerFault('https://login.microsoftonline.com/<tenant id>/v2.0')).toContain('< >')
    expect(issuerFault('accounts.google.com')).toContain('https://')
  })

  it('say in words why they did not let somebody in', () => {
    expect(refusalFrom(null)).toBeUndefined()
    expect(refusalFrom('oidc_failed')!.mend).toContain('Test')
    expect(refusalFrom('new_code')!.detail).toContain('new_code')
    // The address is anybody's to write.
    const written = refusalFrom('Your account is closed: call 555')!
    expect(written.code + written.detail).not.toContain('call')
  })
})

describe('secrets', () => {
  it('are typed in groups of four', () => {
    expect(grouped('JBSWY3DPEHPK3PXP')).toBe('JBSW Y3DP EHPK 3PXP')
  })

  it('are kept with what they are for', () => {
    const text = recoveryText(['aaa-bbb', 'ccc-ddd'], { email: 'anna@example.com', place: 'push.example.com' })
    expect(text).toContain('push.example.com')
    expect(text.trimEnd().split('\n').slice(-2)).toEqual(['aaa-bbb', 'ccc-ddd'])
  })
})
