// What the mock counts: as many days as are asked for, the same every time.
const NAMES = ['sent', 'failed', 'expired', 'skipped', 'shown', 'clicked', 'closed', 'answered']
const SHARES = {
  reason: { gone: [0, 0.6, 0.3], timed_out: [0, 0.1], service_overloaded: [0, 0.12], payload_too_large: [0, 0.1], unmapped_418: [0, 0.02], ttl_ended: [0, 0, 0.7], unsubscribed: [0, 0, 0, 1] },
  service: { google: [0.5, 0.4, 0.5, 0, 0.6, 0.6], mozilla: [0.2, 0.1, 0.2, 0, 0.25, 0.2], apple: [0.15, 0.2, 0.2, 0, 0.05, 0.15], fcm: [0.1, 0.2, 0.1], apns: [0.05, 0.1], unknown: [0, 0, 0, 1] },
  browser: { Chrome: [0.4, 0.3, 0.5, 0, 0.5, 0.5], Firefox: [0.2, 0.2, 0.2, 0, 0.25, 0.2], Safari: [0.15, 0.2, 0.2, 0, 0.05, 0.15], Edge: [0.1, 0.1, 0, 0, 0.1, 0.1], unknown: [0.15, 0.2, 0.1, 1] },
  source: { api: [0.7, 0.8, 0.7, 0.9, 0.6, 0.5, 0.6, 1], trigger: [0.29, 0.2, 0.3, 0.1, 0.4, 0.5, 0.4], test: [0.01] },
}

const zero = () => Object.fromEntries(NAMES.map((name) => [name, 0]))

function day(key, at, empty) {
  if (empty) return { key, ...zero() }
  const weekend = [0, 6].includes(new Date(key).getUTCDay())
  const sent = Math.round((9000 + 5000 * Math.sin(at / 4) + (at * 7919) % 2100) * (weekend ? 0.35 : 1))
  return {
    key, sent, failed: Math.round(sent * (at % 13 === 5 ? 0.12 : 0.018)), expired: Math.round(sent * 0.005), skipped: Math.round(sent * 0.002),
    shown: Math.round(sent * 0.61), clicked: Math.round(sent * (0.045 + (at % 5) / 200)), closed: Math.round(sent * 0.2), answered: at % 9 === 4 ? Math.round(sent * 0.03) : 0,
  }
}

/** What people did within three hours, most of it at once. */
function timeline(one) {
  const steps = 90, begin = Date.parse(one.send_at)
  const weight = (n) => Math.exp(-n / 14) * (1 + 0.4 * Math.sin(n * 1.7))
  const whole = Array.from({ length: steps }, (_, n) => weight(n)).reduce((sum, part) => sum + part, 0)
  const part = (name, n) => Math.round((one.counts[name] * weight(n)) / whole)
  return { step_seconds: 120, data: Array.from({ length: steps }, (_, n) => ({ at: new Date(begin + n * 120_000).toISOString(), shown: part('shown', n), clicked: part('clicked', n), closed: part('closed', n), answered: part('answered', n) })) }
}

export const STATS_ROUTES = {
  'GET /notifications/:id/timeline': (scene, { id }) => timeline(scene.notifications.find((one) => one.id === id)),
  'GET /stats': (scene, { query }) => {
    const by = query.get('by') ?? 'day', to = query.get('to'), from = query.get('from')
    const first = Date.parse(from), days = (Date.parse(to) - first) / 86_400_000 + 1
    const lines = Array.from({ length: days }, (_, at) => day(new Date(first + at * 86_400_000).toISOString().slice(0, 10), at, !scene.notifications.length))
    const totals = zero()
    for (const line of lines) for (const name of NAMES) totals[name] += line[name]
    const parts = Object.entries(SHARES[by] ?? {}).map(([key, shares]) => ({ key, ...Object.fromEntries(NAMES.map((name, at) => [name, Math.round(totals[name] * (shares[at] ?? 0))])) }))
    return { from, to, by, data: by === 'day' ? lines : totals.sent ? parts : [], totals }
  },
}
