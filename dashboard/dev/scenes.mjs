// What the mock API tells, by scene: `busy` (default), `empty`, `trouble`, `several`, `slow`, `failing`; `viewer`, `editor`, `admin` for roles;
// `out`, `first` (nobody is here yet) and `stale` (what is sensitive has to be confirmed).
import { accountsOf } from './accounts.mjs'
import { automationOf } from './automation.mjs'


const KEY = 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM'
const OLD_KEY = 'BOXdVKdx9gk6q0j3EYY8kRVuQ2MFkYVdhm5Sk9bTfDgxw6PPZIBh0R0l_0dmKRD2a8rSQ9rWcW2NfJ5SRjrWnqg'

const minutes = (n) => new Date(Date.now() - n * 60_000).toISOString()
const counts = (of = {}) => ({ audience: 0, sent: 0, failed: 0, expired: 0, skipped: 0, shown: 0, clicked: 0, closed: 0, answered: 0, ...of })

function notification(n, of) {
  return {
    id: `ntf_${String(n).padStart(6, '0')}`, title: 'Untitled', body: '', url: null, icon: null, image: null, badge_count: null, actions: [],
    ttl: 86_400, urgency: 'normal', collapse_id: null, data: {}, locales: {}, status: 'done', to: { all: true }, source: 'api', trigger: null, event: null,
    counts: counts(), reasons: {}, answers: null, created_at: minutes(n * 90), send_at: minutes(n * 90), expires_at: minutes(n * 90 - 1440),
    finished_at: minutes(n * 90 - 1), ...of,
  }
}

const TITLES = [
  ['The harbour reopens on Monday', 'The north pier is mended. The first ferry leaves at six.'],
  ['Storm warning until tonight', 'Gusts of up to 110 km/h are expected along the whole coast between four in the afternoon and midnight; stay away from the quays.'],
  ['Will you come to the regatta?', 'Tell us yes or no, so that we can plan the seats.'],
  ['Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlung', 'Sehr lange Wörter müssen auch passen.'],
]

function notifications() {
  const running = notification(1, {
    title: 'Ferry 12 is late', body: 'It leaves at 18:40 instead of 18:15.', status: 'sending', url: 'https://www.example.com/ferry/12',
    counts: counts({ audience: 12_408, sent: 4100, failed: 61, skipped: 4, shown: 2210, clicked: 180 }), reasons: { gone: 58, timed_out: 3, unsubscribed: 4 },
    created_at: minutes(0.4), finished_at: null,
  })
  const rest = Array.from({ length: 60 }, (_, at) => {
    const [title, body] = TITLES[at % TITLES.length]
    const audience = 12_408 - at * 37
    const failed = Math.round(audience * 0.018), expired = at % 3 ? 0 : 212, skipped = at % 4 ? 3 : 40
    return notification(at + 2, {
      title, body, status: at === 4 ? 'cancelled' : at === 2 ? 'paused' : 'done',
      counts: counts({ audience, failed, expired, skipped, sent: audience - failed - expired - skipped - (at === 2 ? 5000 : 0), shown: 6120, clicked: 611, closed: 2011, answered: at % 4 === 2 ? 301 : 0 }),
      reasons: { gone: failed - 24, service_overloaded: 14, payload_too_large: 8, unmapped_418: 2, ttl_ended: expired, unsubscribed: skipped },
      answers: at % 4 === 2 ? { yes: 214, no: 87 } : null,
    })
  })
  Object.assign(rest[1], { title: '{{ bot.name }} needs you, {{ user.name }}', body: 'A visitor wants to talk to a person.', source: 'trigger', trigger: 'trg_1', event: 'evn_000001' })
  return [running, ...rest]
}

const DEVICES = ['Firefox on Windows', 'Chrome on Android', 'Safari on macOS', 'Edge on Windows', 'Safari on iPhone', null]
const SERVICES = ['https://updates.push.services.mozilla.com', 'https://fcm.googleapis.com', 'https://web.push.apple.com', 'https://wns2-par02p.notify.windows.com', 'https://web.push.apple.com', 'https://jmt17.google.com']

function subscriptions() {
  return Array.from({ length: 130 }, (_, n) => {
    const status = n % 11 === 7 ? 'expired' : n % 17 === 5 ? 'unsubscribed' : 'active'
    return {
      id: `sub_${String(n).padStart(6, '0')}`, provider: 'webpush', origin: SERVICES[n % 6], user: n % 3 ? null : `u-${n}@a-rather-long-organisation.example.com`, status,
      status_reason: status === 'active' ? null : ['gone', 'key_mismatch', 'by_device'][n % 3], device: DEVICES[n % 6], locale: 'de-AT', time_zone: 'Europe/Vienna',
      tags: n % 2 ? { plan: 'pro' } : {}, created_at: minutes(n * 301 + 3), last_active_at: n % 5 === 4 ? null : minutes(n * 13), last_seen_at: minutes(n * 7),
    }
  })
}

function system(scene) {
  const worker = (n) => ({ id: `wrk_${n}`, host: n ? 'sender-2.example.net' : 'harbour', pid: 4121 + n, senders: 2, started_at: minutes(3000), seen_at: minutes(0.05), alive: true })
  return {
    version: '0.1.0', python: '3.11.14', platform: 'Linux 6.12', now: new Date().toISOString(),
    database: { kind: 'sqlite', version: '3.40.1', warning: scene === 'trouble' ? 'SQLite 3.40.1 can corrupt a database that two connections write and checkpoint at once; update to 3.51.3 or later.' : null },
    workers: scene === 'trouble' ? [] : scene === 'several' ? [worker(0), worker(1)] : [worker(0)],
    queue_lag_seconds: scene === 'several' ? 95 : 0.2, apps: [], public_url: scene === 'empty' ? null : 'https://push.example.com', insecure_endpoints: scene === 'several',
  }
}

function integration(scene) {
  const none = scene === 'empty' || scene === 'trouble'
  const key = (public_key, status, n) => ({ fingerprint: public_key, public_key, status, subscriptions: n, created_at: minutes(status === 'current' ? 4000 : 90_000) })
  return {
    id: none ? null : 'int_1', provider: 'webpush', label: 'webpush', configured: !none, settings: none ? {} : { subject: 'mailto:push@example.com' },
    paused_because: scene === 'trouble' ? 'jwt_refused' : null, keys: none ? [] : [key(KEY, 'current', 11_002), key(OLD_KEY, 'retired', 1406)],
  }
}

/** Everything one scene holds; the mock changes it as it is asked to. */
export function sceneOf(scene) {
  const empty = scene === 'empty'
  const apps = [{ id: 'app_1', name: empty ? 'My site' : 'Harbour News', origins: empty ? [] : ['https://www.example.com', 'https://shop.example.com'], require_signed_identity: false, created_at: minutes(90_000) }]
  if (scene === 'several') apps.push({ id: 'app_2', name: 'Museum of Fog', origins: [], require_signed_identity: false, created_at: minutes(80_000) })
  return {
    ...accountsOf(scene), auto: automationOf(scene), apps, integration: integration(scene), system: () => system(scene),
    notifications: empty ? [] : notifications(), subscriptions: empty ? [] : subscriptions(),
    statuses: empty ? { active: 0, expired: 0, unsubscribed: 0 } : { active: 12_408, expired: 931, unsubscribed: 402 },
    month: empty ? counts() : counts({ audience: 371_220, sent: 362_004, failed: 6820, expired: 1900, skipped: 496, shown: 290_111, clicked: 15_030, closed: 80_120 }),
    keys: empty ? [] : [
      { id: 'key_1', name: 'Shop server', prefix: 'tdg_4f1c09aa', scopes: ['read', 'send'], app: null, created_at: minutes(50_000), created_by: 'Anna Berger', expires_at: minutes(-7 * 1440), last_used_at: minutes(3), revoked_at: null },
      { id: 'key_2', name: 'Nightly export', prefix: 'tdg_99b20c1e', scopes: ['admin'], app: 'app_1', created_at: minutes(9000), created_by: null, expires_at: null, last_used_at: null, revoked_at: null },
      { id: 'key_3', name: 'Benachrichtigungsversandservice', prefix: 'tdg_0a11ce00', scopes: ['messages:send', 'users:write'], app: 'app_1', created_at: minutes(90_000), created_by: 'Mia Quai', expires_at: minutes(900), last_used_at: minutes(1000), revoked_at: null },
    ],
    make: (n, of) => notification(n, { counts: counts({ audience: of.audience }), ...of }),
    key: KEY,
  }
}
