import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { accountFrom, EMPTY, faultsFrom, faultsOf, isComplete, keyIdFrom, uploadFrom, vapidPairFrom } from '../src/lib/credentials'
import { deviceName, doubtOf, isSandbox } from '../src/lib/devices'
import { alike, knowsLook } from '../src/lib/findings'
import { linked } from '../src/lib/linked'
import { daysLeft, factsOf, hrefOf, integrationName, labelOf, PROVIDERS } from '../src/lib/integrations'

const source = (file: string) => readFileSync(new URL(`../../src/tidings/${file}`, import.meta.url), 'utf8')
const ACCOUNT = { type: 'service_account', project_id: 'my-app-1a2b3', client_email: 'push@my-app-1a2b3.iam.gserviceaccount.com', private_key: '…' }
const PUBLIC = 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM', PRIVATE = 'tUkzMpKs4ynl4JgnmRCMpWWR8cWNB7v1AwWpZVpXGsE'

describe('providers', () => {
  it('has words for every channel that the server has', () => {
    const registry = /REGISTRY = \{([\s\S]*?)\n\}/.exec(source('providers/__init__.py'))![1]!
    const names = [...registry.matchAll(/"(\w+)":/g)].map((found) => found[1]!).filter((name) => name !== 'fake')
    expect(names.toSorted()).toEqual(Object.keys(PROVIDERS).toSorted())
  })

  it.each(['providers/fcm/findings.py', 'providers/webpush/findings.py', 'providers/webhook/provider.py', 'services/trials.py'])('names every look that %s takes', (file) => {
    const text = source(file)
    const constants = Object.fromEntries([...text.matchAll(/^([A-Z]+)(?:, ([A-Z]+))? = "(\w+)"(?:, "(\w+)")?/gm)].flatMap(([, a, b, one, other]) => [[a, one], ...(b ? [[b, other]] : [])]))
    const looks = [...text.matchAll(/Finding\(\s*(?:"(\w+)"|([A-Z]+)\b)/g)].map(([, literal, constant]) => literal ?? (constants[constant!] as string))
    expect(looks.length).toBeGreaterThan(0)
    for (const look of looks) expect([look, knowsLook(look)]).toEqual([look, true])
  })

  it('names the environments and push services that are looked at', () => {
    for (const file of ['providers/apns/settings.py', 'providers/webpush/settings.py']) {
      const table = /class (?:Environment|Family)\(StrEnum\):[\s\S]*?\n\n {4}@/.exec(source(file))![0]
      const names = [...table.matchAll(/^ {4}[A-Z]+ = "([a-z]+)"/gm)].map((found) => found[1]!).filter((name) => name !== 'unknown')
      for (const name of names) expect([name, knowsLook(name)]).toEqual([name, true])
    }
  })

  it('tells once what is wrong alike, and apart what is well', () => {
    const look = (name: string, ok: boolean, detail = 'The key is unknown.') => ({ name, ok, detail, mend: '' })
    expect(alike([look('production', false), look('sandbox', false), look('receiver', false, 'Other')]).map(({ names }) => names)).toEqual([['production', 'sandbox'], ['receiver']])
    expect(alike([look('production', true), look('sandbox', true)])).toHaveLength(2)
  })

  it('marks devices of the sandbox, where the server sends to it', () => {
    const [, host] = /Environment.SANDBOX: "(https:[^"]+)"/.exec(source('providers/apns/settings.py'))!
    expect([isSandbox({ provider: 'apns', origin: host! }), isSandbox({ provider: 'apns', origin: 'https://api.push.apple.com' })]).toEqual([true, false])
  })

  it('finds the addresses in what is to be done', () => {
    const link = 'https://console.cloud.google.com/apis/library/fcm.googleapis.com?project=my-app'
    expect(linked(`Switch it on: ${link}. It takes a few minutes.`)).toEqual([{ text: 'Switch it on: ' }, { text: link, href: link }, { text: '. It takes a few minutes.' }])
    expect(linked('See javascript:alert(1) and http://example.com')).toHaveLength(1)
  })

  it('calls an integration by its label, and the browsers’ one by its provider until it has one', () => {
    expect(labelOf({ provider: 'webpush', label: 'webpush' })).toBe('Web Push')
    expect(integrationName({ provider: 'fcm', label: 'Firebase Production' })).toBe('FCM, Firebase Production')
    expect(hrefOf({ id: null, provider: 'webpush' })).toBe('/settings/integrations/add?provider=webpush')
  })

  it('shows what is known of credentials, and nothing that is secret', () => {
    const settings = { auth: 'key', key_id: '2X9R4HXF34', team_id: 'ABCDE12345', bundle_id: 'com.example.app', environment: 'sandbox', secret: 'no' }
    expect(factsOf({ provider: 'apns', settings })).toEqual([['Auth method', 'Key'], ['Bundle ID', 'com.example.app'], ['Key ID', '2X9R4HXF34'], ['Team ID', 'ABCDE12345'], ['Environment', 'Sandbox']])
  })

  it('counts the days of a certificate only when they are few', () => {
    const now = Date.parse('2027-01-01T00:00:00Z')
    expect(daysLeft({ expires_at: '2027-01-31T00:00:00Z' }, now)).toBe(30)
    expect(daysLeft({ expires_at: '2027-01-31T00:00:01Z' }, now)).toBeUndefined()
    expect(daysLeft({ expires_at: '2026-01-01T00:00:00Z' }, now)).toBe(0)
    expect(daysLeft({ expires_at: null }, now)).toBeUndefined()
  })

  it('says what a device without a name must be', () => {
    expect(deviceName({ device: null, provider: 'apns' })).toBe('A device of Apple')
    expect(deviceName({ device: 'Pixel 10', provider: 'fcm' })).toBe('Pixel 10')
  })

  it('says of a device that is suspected how often it was refused, whether it rests, and how to mend it', () => {
    const of = { reason: 'device_token_refused', times: 3, since: '2027-01-01T00:00:00Z', last_at: '2027-01-04T00:00:00Z', rests_until: '2027-01-11T00:00:00Z' }
    const now = Date.parse('2027-01-05T00:00:00Z')
    expect(doubtOf(of, now)).toMatchObject({ what: expect.stringContaining('Apple'), since: expect.stringContaining('Refused 3 times in a row'), todo: expect.stringContaining('Sandbox') })
    expect(doubtOf(of, now).since).toContain('Nothing is sent to it until')
    expect(doubtOf({ ...of, times: 1, rests_until: null }, now).since).toMatch(/Refused 1 time in a row.*It is still tried\.$/)
    expect(doubtOf(of, Date.parse('2027-01-12T00:00:00Z')).since).toContain('It is still tried.')
  })
})

describe('credentials', () => {
  it('reads the project out of a service account’s file, with a byte order mark too', () => {
    expect(accountFrom(`\ufeff${JSON.stringify(ACCOUNT)}\n`)).toEqual({ projectId: 'my-app-1a2b3', email: ACCOUNT.client_email, broad: false })
    expect(accountFrom(JSON.stringify({ ...ACCOUNT, client_email: 'firebase-adminsdk-x1y2z@my-app-1a2b3.iam.gserviceaccount.com' }))).toMatchObject({ broad: true })
  })

  it.each([['', 'Upload'], ['{"type": "service_acc', 'not all of it'], ['{"project_info": {}}', 'Android app'], ['{"type": "authorized_user"}', 'not the key'], ['null', 'not the key']])('says of %j what it is instead', (text, words) => {
    expect(accountFrom(text)).toContain(words)
  })

  it('reads the Key ID out of the name that Apple gives to the file', () => {
    expect(keyIdFrom('AuthKey_2X9R4HXF34.p8')).toBe('2X9R4HXF34')
    expect(keyIdFrom('AuthKey_2X9R4HXF34 (1).p8')).toBe('2X9R4HXF34')
    expect(keyIdFrom('key.p8')).toBe('')
  })

  it.each([
    `\n=======================================\n\nPublic Key:\n${PUBLIC}\n\nPrivate Key:\n${PRIVATE}\n\n=======================================\n`,
    JSON.stringify({ publicKey: PUBLIC, privateKey: PRIVATE }),
    `VAPID_PUBLIC_KEY="${PUBLIC}"\nVAPID_PRIVATE_KEY="${PRIVATE}"`,
  ])('finds both keys in what a tool prints: %#', (text) => {
    expect(vapidPairFrom(text)).toEqual({ public_key: PUBLIC, private_key: PRIVATE })
  })

  it('takes a key alone for what it is', () => {
    expect(vapidPairFrom(PUBLIC)).toBeUndefined()
    expect(vapidPairFrom(`Public Key:\n${PUBLIC}`)).toBeUndefined()
  })

  it('sends what belongs to the way that was chosen, and nothing that is empty', () => {
    const filled = { ...EMPTY.apns, key: 'K', key_id: ' 2X9R4HXF34 ', team_id: 'T', bundle_id: 'b', certificate: 'C', password: ' space ' }
    expect(uploadFrom('apns', filled)).toEqual({ key: 'K', key_id: '2X9R4HXF34', team_id: 'T', bundle_id: 'b', environment: 'production' })
    expect(uploadFrom('apns', { ...filled, auth: 'certificate', bundle_id: '' })).toEqual({ certificate: 'C', password: ' space ', environment: 'production' })
    expect(uploadFrom('webpush', { public_key: 'p', private_key: 'q', subject: 'you@example.com', source: 'own' })).toEqual({ public_key: 'p', private_key: 'q', subject: 'mailto:you@example.com' })
  })

  it.each([['', true], ['600000', true], [' 1200 ', true], ['0', false], ['1 000', false], ['1e6', false], ['many', false]])('takes %j as messages a minute: %s', (text, fits) => {
    const fields = { service_account: JSON.stringify(ACCOUNT), project_id: '', messages_per_minute: text }
    expect(isComplete(faultsOf('fcm', fields))).toBe(fits)
    if (fits) expect(uploadFrom('fcm', fields).messages_per_minute).toBe(text.trim() || undefined)
  })

  it.each(Object.keys(EMPTY))('names what is missing of %s, each at its field', (provider) => {
    const faults = faultsOf(provider, EMPTY[provider]!)
    expect(isComplete(faults)).toBe(false)
    for (const name of Object.keys(faults)) expect(Object.keys(EMPTY[provider]!)).toContain(name)
  })

  it('asks for no keys where they are to be made', () => {
    expect(isComplete(faultsOf('webpush', { ...EMPTY.webpush, source: 'new', subject: 'you@example.com' }))).toBe(true)
  })

  it('brings what the server says to the fields, whichever way it names them', () => {
    const faults = [{ field: 'credentials.key_id', message: 'Ten.' }, { field: 'label', message: 'Taken.' }]
    expect(faultsFrom({ code: 'credentials_invalid', detail: '', faults })).toEqual({ key_id: 'Ten.', label: 'Taken.' })
    expect(faultsFrom({ code: 'contact_invalid', detail: 'Not public.', faults: [] })).toEqual({ subject: 'Not public.' })
    expect(faultsFrom({ code: 'service_busy', detail: 'x', faults: [] })).toEqual({})
  })
})
