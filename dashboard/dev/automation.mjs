// What the mock API tells of events, triggers and templates.
import { page, Refusal } from './refusal.mjs'

const minutes = (n) => new Date(Date.now() - n * 60_000).toISOString()
const fault = (code, title, field, message) => new Refusal(422, code, title, `${field}: ${message}`, { mend: 'See `errors` for the field.', errors: [{ field, message }] })

const TYPES = [
  ['conversation.escalated', 'A visitor wants a person', 'Live chat', { conversation: { type: 'object', properties: { id: { type: 'string' }, waiting: { type: 'integer', description: 'Seconds' } } }, bot: { type: 'object', properties: { id: { type: 'string' }, name: { type: 'string' } } } }, { conversation: { id: 'c-1', waiting: 40 }, bot: { id: 'b-1', name: 'Ada' } }],
  ['conversation.answered', 'A person has answered', 'Live chat', { conversation: { type: 'object', properties: { id: { type: 'string' } } } }, { conversation: { id: 'c-1' } }],
  ['appointment.reminder', 'An appointment is near', 'Appointments', { appointment: { type: 'object', properties: { at: { type: 'string' }, place: { type: 'string' } } } }, { appointment: { at: '2026-12-01T09:00:00Z', place: 'Pier 3' } }],
]

const WORDS = { language: 'en', title: '{{ bot.name }} needs you', body: 'Somebody has waited for {{ conversation.waiting }} seconds.', url: 'https://www.example.com/c/{{ conversation.id }}', icon: null, image: null, badge_count: null, actions: [{ id: 'take', title: 'I take it', url: null }], ttl: 300, urgency: 'high', collapse_id: null, data: {}, locales: { de: { title: '{{ bot.name }} braucht dich', body: null, url: null, actions: {} } }, platforms: {} }

/** What a scene holds of them. */
export function automationOf(scene) {
  if (scene === 'empty') return { types: [], triggers: [], templates: [], events: [], users: [] }
  const types = TYPES.map(([key, name, category, properties, example], n) => ({ key, name, description: '', category, variables: { properties }, examples: [example], defaults: { push: true, feed: true }, mandatory: n === 2, created_at: minutes(9000), updated_at: minutes(900) }))
  const trigger = (n, of) => ({ id: `trg_${n}`, conditions: null, conditions_text: null, channels: null, throttle: null, delay: 0, unless: null, digest: null, urgency: null, ttl: null, enabled: true, created_at: minutes(9000), updated_at: minutes(90), ...of, audience_text: of.audience, activity: { fired: 180 - n, suppressed: n * 9, waiting: n === 2 ? 3 : 0, last_fired_at: n === 3 ? null : minutes(n * 7) } })
  return {
    types,
    users: Array.from({ length: 70 }, (_, n) => ({ id: n ? `u-${n}@a-rather-long-organisation.example.com` : 'u-42', attributes: n % 5 === 4 ? {} : { name: ['Anna Berger', 'Friedrich-Wilhelm Oberlandesgerichtsrat', 'Mia Quai'][n % 3], role: n % 2 ? 'operator' : 'reader', available: n % 2 === 0 }, locale: n % 3 ? 'en' : 'de-AT', time_zone: 'Europe/Vienna', created_at: minutes(n * 311 + 9), updated_at: minutes(n * 3) })),
    triggers: [
      trigger(1, { name: 'Call an operator', event_type: 'conversation.escalated', conditions_text: 'event.bot.id in ["b-1", "b-2"]', audience: { users_where: 'user.role == "operator" && user.available == true', except_actor: true }, template: WORDS, throttle: { key: ['event.conversation.id'], count: 1, window: 600 } }),
      trigger(2, { name: 'Terminerinnerung für Stammkundinnen und Stammkunden', event_type: 'appointment.reminder', audience: { users: 'event', except_actor: true }, template: 'tpl_1', channels: ['webpush', 'fcm'], digest: { window: 3600, key: [] } }),
      trigger(3, { name: 'Tell the owners', event_type: 'conversation.answered', audience: { union: [{ users_where: 'user.role == "owner"' }, { followers: 'conversation:{{conversation.id}}' }], except_actor: false }, template: WORDS, enabled: false, delay: 300 }),
    ],
    templates: [{ ...WORDS, id: 'tpl_1', name: 'Reminder', event_type: 'appointment.reminder', title: 'Your appointment at {{ appointment.place }}', body: 'It begins soon.', url: null, locales: { de: { title: 'Dein Termin', body: null, url: null, actions: {} } }, version: 3, created_at: minutes(9000), updated_at: minutes(400) }],
    events: Array.from({ length: 60 }, (_, n) => ({ id: `evt_${n}`, type: TYPES[n % 3][0], key: n % 2 ? `own-${n}` : null, data: TYPES[n % 3][4], users: n % 3 === 2 ? ['u-42', 'u-43'] : [], actor: n % 3 ? null : 'u-7', status: n ? 'done' : 'queued', fault: null, replay_of: null, occurred_at: minutes(n * 13), created_at: minutes(n * 13), done_at: minutes(n * 13) })),
  }
}

function one(rows, key, id) {
  const found = rows.find((row) => row[key] === id)
  if (!found) throw new Refusal(404, 'not_found', 'There is nothing here', `There is no '${id}'.`, { mend: 'Check the address and the id.' })
  return found
}

const firing = (event, trigger, n = 0) => ({ event, trigger, outcome: n % 3 === 1 ? 'suppressed' : 'fired', reason: n % 3 === 1 ? 'throttled' : '', notifications: n % 3 === 1 ? [] : ['ntf_000002'], at: minutes(n * 13) })
const filled = (text, data) => text?.replace(/\{\{\s*([\w.]+)[^}]*\}\}/g, (_, path) => path.split('.').reduce((here, name) => here?.[name], data) ?? '') ?? null

function preview(s, words, { event_type, event }) {
  if (/\{%|nmae/.test(words.title)) throw fault('template_invalid', 'The template cannot be used', 'title', "There is no variable 'bot.nmae'; did you mean 'bot.name'?")
  const variables = s.auto.events.find(({ id }) => id === event)?.data ?? s.auto.types.find(({ key }) => key === event_type)?.examples[0] ?? {}
  const said = (language, of) => ({ language, title: filled(of.title ?? words.title, variables), body: filled(of.body ?? words.body, variables), url: filled(of.url ?? words.url, variables), icon: words.icon, image: words.image, actions: words.actions, error: null, warnings: [] })
  return { variables, languages: [said(words.language, {}), ...Object.entries(words.locales).map(([tag, of]) => said(tag, of))] }
}

function kept(body) {
  if (/==\s*$/.test(body.conditions ?? '')) throw fault('filter_invalid', 'The conditions are not valid', 'conditions', 'Character 16: A value is missing here.')
  if (/nmae/.test(body.template?.title ?? '')) throw fault('trigger_invalid', 'The trigger is not valid', 'template.title', "There is no variable 'bot.nmae'; did you mean 'bot.name'?")
  return { ...body, conditions_text: body.conditions, audience_text: body.audience, updated_at: new Date().toISOString() }
}

export const AUTOMATION_ROUTES = {
  'GET /event-types': (s, { query }) => page(s.auto.types, query),
  'GET /event-types/:id': (s, { id }) => one(s.auto.types, 'key', id),
  'PUT /event-types/:id': (s, { id, body }) => {
    const row = { key: id, created_at: minutes(0), ...body, updated_at: minutes(0) }
    s.auto.types = [...s.auto.types.filter(({ key }) => key !== id), row]
    return row
  },
  'DELETE /event-types/:id': (s, { id }) => {
    const user = s.auto.triggers.find(({ event_type }) => event_type === id)
    if (user) throw new Refusal(409, 'event_type_in_use', 'The event type is in use', `The trigger ${user.name} waits for it.`, { mend: 'Change or delete the trigger first.' })
    s.auto.types = s.auto.types.filter(({ key }) => key !== id)
  },
  'GET /events': (s, { query }) => page(s.auto.events.filter((row) => (!query.get('type') || row.type === query.get('type')) && (!query.get('status') || row.status === query.get('status')) && (!query.get('user') || row.users.includes(query.get('user')) || row.actor === query.get('user'))), query),
  'GET /events/:id': (s, { id }) => {
    const event = one(s.auto.events, 'id', id)
    return { ...event, firings: event.status === 'queued' ? [] : s.auto.triggers.filter(({ event_type, enabled }) => enabled && event_type === event.type).map((row, n) => firing(id, row.id, n)) }
  },
  'POST /events/:id/replay': (s, { id }) => {
    const row = { ...one(s.auto.events, 'id', id), id: `evt_${s.auto.events.length}`, replay_of: id, occurred_at: minutes(0) }
    s.auto.events.unshift(row)
    return { id: row.id }
  },
  'GET /presets': () => ({
    data: [
      { name: 'live_chat', title: 'Live chat', description: 'Leads and first messages to owners and admins, visitors who want a person to available operators.', event_types: ['lead.captured', 'conversation.escalated'], templates: ['New lead'], triggers: ['New lead to owners and admins'], segments: [] },
      { name: 'community', title: 'Community', description: 'Replies, mentions, accepted answers, messages and badges: to whom they concern.', event_types: ['topic.reply', 'member.mentioned'], templates: ['Mention'], triggers: ['Mention: to whoever was mentioned'], segments: [] },
    ],
  }),
  'POST /presets/:id': (s, { id }) => ({ preset: id, made: 0, parts: [] }),
  'GET /triggers': (s, { query }) => page(s.auto.triggers.filter((row) => !query.get('event_type') || row.event_type === query.get('event_type')), query),
  'POST /triggers': (s, { body }) => {
    const row = { id: `trg_${Date.now()}`, created_at: minutes(0), activity: { fired: 0, suppressed: 0, waiting: 0, last_fired_at: null }, ...kept(body) }
    s.auto.triggers.unshift(row)
    return row
  },
  'GET /triggers/:id': (s, { id }) => one(s.auto.triggers, 'id', id),
  'PUT /triggers/:id': (s, { id, body }) => Object.assign(one(s.auto.triggers, 'id', id), kept(body)),
  'DELETE /triggers/:id': (s, { id }) => void (s.auto.triggers = s.auto.triggers.filter((row) => row.id !== id)),
  'GET /triggers/:id/firings': (s, { id, query }) => page(Array.from({ length: 40 }, (_, n) => firing(`evt_${n}`, id, n)), query),
  'POST /triggers/:id/dry-run': (s, { id, body }) => ({
    event: body.event ?? null, fires: true, enabled: one(s.auto.triggers, 'id', id).enabled, conditions_hold: true, because: ['event.bot.id in ["b-1", "b-2"] holds: event.bot.id is "b-1"'], throttled: false, fault: null, delay: 0, digest: false, devices: 4,
    people: [['u-1', 'de', 'Ada braucht dich'], ['u-2', 'en', 'Ada needs you']].map(([user, language, title]) => ({ user, devices: 2, language, title, body: 'Somebody has waited for 40 seconds.', url: 'https://www.example.com/c/c-1', put_off_until: user === 'u-2' ? minutes(-300) : null })),
    others: [{ user: 'u-7', why: 'actor', detail: 'They did it themselves.' }, { user: 'u-3', why: 'conditions', detail: 'user.available == true does not hold: user.available is false' }],
  }),
  'GET /users': (s, { query }) => page(s.auto.users.filter((row) => `${row.id} ${row.attributes.name}`.toLowerCase().includes((query.get('search') ?? '').toLowerCase())), query),
  'GET /users/:id': (s, { id }) => one(s.auto.users, 'id', id),
  'GET /users/:id/deliveries': (s, { query }) => page(s.notifications.slice(0, 30).map((row, n) => ({ notification: row.id, title: row.title, at: row.send_at, absence: null, devices: s.subscriptions.slice(0, 2).map((device, at) => ({ subscription: device.id, device: device.device, provider: device.provider, status: n % 4 === 1 && at ? 'failed' : 'sent', reason: n % 4 === 1 && at ? 'gone' : 'sent', attempt: 1, at: row.send_at })) })), query),
  'GET /users/:id/preferences': (s) => ({ event_types: s.auto.types.map((row, n) => ({ type: row.key, name: row.name, description: '', category: row.category, mandatory: row.mandatory, push: { enabled: n !== 1, default: true }, feed: { enabled: true, default: true } })), quiet_hours: { from: '22:00', to: '07:00', time_zone: null }, quiet_hours_from: 'app' }),
  'GET /users/:id/topics': (s, { query }) => page([{ topic: 'product:22', since: minutes(900) }], query),
  'GET /users/:id/export': (s, { id }) => one(s.auto.users, 'id', id),
  'POST /users/:id/erase': (s, { id }) => {
    s.auto.users = s.auto.users.filter((row) => row.id !== id)
    return { id: 'era_1', app: 'app_1', subject: 'user', status: 'done', still_sending: 0, removed: { subscriptions: 2, deliveries: 41, users: 1 }, kept: ['Counters of notifications and counts by day stay as they were; nobody can be found in them.'], asked_at: minutes(0), finished_at: minutes(0) }
  },
  'GET /templates': (s, { query }) => page(s.auto.templates, query),
  'POST /templates': (s, { body }) => {
    const row = { id: `tpl_${Date.now()}`, version: 1, created_at: minutes(0), updated_at: minutes(0), ...body }
    s.auto.templates.unshift(row)
    return row
  },
  'POST /templates/preview': (s, { body }) => preview(s, body.template, body),
  'GET /templates/:id': (s, { id }) => one(s.auto.templates, 'id', id),
  'PUT /templates/:id': (s, { id, body }) => {
    const row = one(s.auto.templates, 'id', id)
    return Object.assign(row, body, { version: row.version + 1, updated_at: minutes(0) })
  },
  'DELETE /templates/:id': (s, { id }) => void (s.auto.templates = s.auto.templates.filter((row) => row.id !== id)),
}
