// A small stand-in for the REST API, so that pages can be drawn and seen without a server. Never part of the build.
import { ACCOUNT_ROUTES } from './accounts.mjs'
import { AUTOMATION_ROUTES } from './automation.mjs'
import { page, Refusal } from './refusal.mjs'
import { sceneOf } from './scenes.mjs'
import { STATS_ROUTES } from './stats.mjs'

const SDK = `globalThis.Tidings = (() => {
  let state = localStorage.getItem('mock.push') ?? 'undecided'
  const set = async (to) => (localStorage.setItem('mock.push', to), (state = to))
  const keep = (value) => new Promise((done) => {
    const opening = indexedDB.open('tidings', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('kept')
    opening.onsuccess = () => (opening.result.transaction('kept', 'readwrite').objectStore('kept').put(value, 'device').onsuccess = () => (opening.result.close(), done()))
  })
  let app
  return { init: async (of) => ((app = of.app), state), state: async () => state, unsubscribe: () => set('undecided'), lastError: undefined,
    subscribe: async () => (await keep({ id: 'sub_000000', app }), set('registered')) }
})()`

function count(scene, to) {
  if (to.all) return scene.statuses.active
  if (to.users) return to.users[0] === 'nobody' ? 0 : 2
  return to.tags ? 1000 : 1
}

/** Let what is being sent go on; called before every look. */
function advance(scene) {
  for (const one of scene.notifications.filter((row) => row.status === 'queued' || row.status === 'sending')) {
    one.status = 'sending'
    const left = one.counts.audience - one.counts.sent - one.counts.failed - one.counts.expired - one.counts.skipped
    const step = Math.min(left, Math.ceil(one.counts.audience / 40)), failed = Math.floor(step * 0.02)
    one.counts.sent += step - failed
    one.counts.failed += failed
    if (failed) one.reasons.gone = (one.reasons.gone ?? 0) + failed
    if (step === left) Object.assign(one, { status: 'done', finished_at: new Date().toISOString() })
  }
}

function found(scene, id) {
  const one = scene.notifications.find((row) => row.id === id)
  if (!one) throw new Refusal(404, 'not_found', 'There is nothing here', `There is no notification '${id}'.`, { mend: 'Check the address and the id.' })
  return one
}

function snippets(app) {
  const server = 'https://push.example.com', base = `${server}/v1/${app}/push`, load = `importScripts("${base}/service-worker.js");`
  const pages = (init) => `<script src="${base}/sdk.js"></script>\n<button id="enable-push">Enable notifications</button>\n<script>\n  ${init}\n  document.querySelector("#enable-push").onclick = () => Tidings.subscribe();\n</script>`
  const one = (way, title, when, ...steps) => ({ way, title, when, steps: steps.map(([title, code]) => ({ title, code })) })
  return {
    server, policy: `script-src 'self' ${server}; connect-src 'self' ${server}; worker-src 'self'`, check: 'await Tidings.check()',
    snippets: [
      one('file', 'A file on your site', 'Choose this if your site has no service worker.', ['Save this as /tidings-sw.js at the root of your site', load], ['Paste this into your pages', pages('Tidings.init();')]),
      one('worker', 'A worker you have', 'Your site has a service worker already, such as that of a PWA. It keeps its own update policy.', ['Put this at the top of your worker', `self.__tidingsKeepWaiting = true;\n${load}`], ['Paste this into your pages, with the address of your worker', pages('Tidings.init({ serviceWorker: { path: "/sw.js" } });')]),
      one('npm', 'npm', 'You bundle your pages.', ['Install the package', 'npm install tidings-web'], ['Save this where your bundler puts files as they are, so that it is served as /tidings-sw.js', load], ['Call it in your pages, with the id of your button', `import * as Tidings from "tidings-web";\n\nTidings.init({ server: "${server}", app: "${app}" });`]),
    ],
  }
}

const ROUTES = {
  ...ACCOUNT_ROUTES,
  ...AUTOMATION_ROUTES,
  ...STATS_ROUTES,
  'GET /apps': (s) => ({ data: s.apps, next_cursor: null }),
  'GET /apps/:id/snippets': (s, { id }) => snippets(id),
  'PATCH /apps/:id': (s, { id, body }) => Object.assign(s.apps.find((app) => app.id === id), body),
  'GET /integrations': (s) => ({ data: [s.integration], next_cursor: null }),
  'PATCH /integrations/:id': (s, { body }) => {
    Object.assign(s.integration.settings, body.settings)
    if (body.resume) s.integration.paused_because = null
    return s.integration
  },
  'POST /integrations/:id/keys': (s, { body }) => {
    if (/@(localhost|.*\.(local|invalid))$/.test(body.subject ?? '')) {
      throw new Refusal(422, 'contact_invalid', 'The contact address would be refused by Apple', '', { mend: 'Use `mailto:` with a public address, or an `https:` URL of a public site.' })
    }
    for (const key of s.integration.keys) key.status = 'retired'
    const made = { fingerprint: s.key, public_key: s.key.split('').reverse().join(''), status: 'current', subscriptions: 0, created_at: new Date().toISOString() }
    made.fingerprint = made.public_key
    s.integration.keys.unshift(made)
    Object.assign(s.integration, { configured: true, settings: { subject: body.subject ?? s.integration.settings.subject } })
    return { ...made, invalidated: 0, subject: s.integration.settings.subject }
  },
  'GET /stats/overview': (s) => (advance(s), { subscriptions: s.statuses, last_30_days: s.month, notifications: s.notifications.slice(0, 5), workers: 1, queue_lag_seconds: 0 }),
  'GET /system': (s) => s.system(),
  'GET /system/dead-shards': () => ({ data: [], next_cursor: null }),
  'GET /subscriptions': (s, { query }) => page(s.subscriptions.filter((row) => !query.get('status') || row.status === query.get('status')), query),
  'DELETE /subscriptions/:id': (s, { id }) => void (s.subscriptions = s.subscriptions.filter((row) => row.id !== id)),
  'GET /notifications': (s, { query }) => (advance(s), page(s.notifications, query)),
  'POST /notifications/count': (s, { body }) => ({ count: count(s, body.to) }),
  'POST /notifications': (s, { body }) => {
    if (body.title === 'refuse') {
      throw new Refusal(422, 'message_too_large', 'The message does not fit into a push', 'The message is 12 bytes too long: 3993 fit into a push.', { mend: 'Shorten title, body, data or URLs; `detail` says by how many bytes.' })
    }
    const one = s.make(0, { ...body, id: `ntf_new${s.notifications.length}`, status: 'queued', audience: count(s, body.to), created_at: new Date().toISOString(), finished_at: null })
    s.notifications.unshift(one)
    return { id: one.id, status: one.status, audience: one.counts.audience }
  },
  'GET /notifications/:id': (s, { id }) => found(s, id),
  'POST /notifications/:id/pause': (s, { id }) => Object.assign(found(s, id), { status: 'paused' }),
  'POST /notifications/:id/resume': (s, { id }) => Object.assign(found(s, id), { status: 'sending' }),
  'POST /notifications/:id/cancel': (s, { id }) => {
    const one = found(s, id), { counts } = one
    counts.skipped = counts.audience - counts.sent - counts.failed - counts.expired
    return Object.assign(one, { status: 'cancelled', finished_at: new Date().toISOString(), reasons: { ...one.reasons, cancelled: counts.skipped } })
  },
  'GET /keys': (s) => ({ data: s.keys, next_cursor: null }),
  'POST /keys': (s, { body }) => {
    const made = { id: `key_${Date.now()}`, prefix: 'tdg_0badcafe', app: null, created_at: new Date().toISOString(), created_by: s.people.me.name, expires_at: null, last_used_at: null, revoked_at: null, ...body }
    s.keys.push(made)
    return { ...made, key: `tdg_${'0badcafe'.repeat(8)}_12345678` }
  },
  'DELETE /keys/:id': (s, { id }) => void (s.keys = s.keys.filter((key) => key.id !== id)),
}

const OPEN = /^\/(setup|password-reset|invitations\/(look|accept))$/

function routeOf(method, path) {
  for (const [name, run] of Object.entries(ROUTES)) {
    const [verb, pattern] = name.split(' ')
    const hit = verb === method && new RegExp(`^${pattern.replace(/:id/g, '([^/]+)')}$`).exec(path)
    if (hit) return { run, id: hit[1] && decodeURIComponent(hit[1]) }
  }
  throw new Refusal(404, 'not_found', 'There is nothing here', `${method} ${path}`)
}

function stream(scene, id, response) {
  const one = found(scene, id)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const tell = () => {
    advance(scene)
    const final = one.status === 'done' || one.status === 'cancelled', { counts } = one
    const rate = one.status === 'sending' ? counts.audience / 20 : 0
    const left = counts.audience - counts.sent - counts.failed - counts.expired - counts.skipped
    response.write(`event: progress\ndata: ${JSON.stringify({ status: one.status, counts, rate, eta_seconds: rate ? left / rate : null })}\n\n`)
    if (final) stop()
  }
  const timer = setInterval(tell, 500)
  const stop = () => (clearInterval(timer), response.end())
  response.on('close', stop)
  tell()
}

async function read(request) {
  let text = ''
  for await (const part of request) text += part
  return text ? JSON.parse(text) : {}
}

/** A connect-style handler; it answers /api and /push and passes on everything else. */
export function mockApi({ scene: name = 'busy' } = {}) {
  const scene = sceneOf(name)
  return async (request, response, next) => {
    const url = new URL(request.url, 'http://localhost')
    if (/^\/(v1\/[^/]+\/)?push\/(sdk|service-worker)\.js$/.test(url.pathname)) return response.writeHead(200, { 'content-type': 'text/javascript' }).end(url.pathname.endsWith('sdk.js') ? SDK : '')
    if (!url.pathname.startsWith('/api/v1/')) return next()
    const path = url.pathname.slice('/api/v1'.length)
    try {
      const opening = path.startsWith('/session') || path === '/apps' || OPEN.test(path)
      if (name === 'slow' && !opening) return undefined
      if (name === 'failing' && !opening) throw new Refusal(503, 'service_busy', 'The server cannot store this now', 'The database did not answer within 5 seconds.', { mend: 'Try again; nothing was changed.' })
      if (!scene.signedIn && !path.startsWith('/session') && !OPEN.test(path)) throw new Refusal(401, 'unauthorized', 'Nobody is signed in, and there is no valid API key')
      if (path === '/audit/export') {
        const format = url.searchParams.get('format')
        return response.writeHead(200, { 'content-type': 'text/plain', 'content-disposition': `attachment; filename="audit.${format}"` }).end('at,actor,action\n')
      }
      const watched = /^\/notifications\/([^/]+)\/progress$/.exec(path)
      if (watched) return stream(scene, watched[1], response)
      const { run, id } = routeOf(request.method, path)
      const answer = run(scene, { id, query: url.searchParams, headers: request.headers, body: await read(request) })
      response.writeHead(answer === undefined ? 204 : 200, { 'content-type': 'application/json' }).end(answer === undefined ? undefined : JSON.stringify(answer))
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal
      response.writeHead(refusal.body.status, { 'content-type': 'application/problem+json', ...refusal.headers }).end(JSON.stringify(refusal.body))
    }
    return undefined
  }
}
