// The service worker of the dashboard: it only speaks when the server cannot, and finishes what a page that is left no longer
// can. Push has a worker of its own, below /push/.
// A file of its own, and complete: no page can be fetched then. The query is the language of the pages, `?de`.

const TEXTS = {
  en: {
    title: 'Tidings cannot be reached',
    offline: 'This device is offline. Turn its connection on, then try again.',
    silent: 'There is no answer from',
    why: 'The server may be restarting, or the connection to it is lost. If it stays so, see on the server whether tidings up is running.',
    again: 'Try again',
  },
  de: {
    title: 'Tidings ist nicht erreichbar',
    offline: 'Dieses Gerät ist offline. Stellen Sie die Verbindung her und versuchen Sie es dann erneut.',
    silent: 'Keine Antwort von',
    why: 'Vielleicht startet der Server gerade neu, oder die Verbindung zu ihm ist verloren. Bleibt es so, sehen Sie auf dem Server nach, ob tidings up läuft.',
    again: 'Erneut versuchen',
  },
}

// What a proxy says while nobody is behind it.
const NOBODY_THERE = [502, 503, 504]

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; background: #fcfbf9; color: #2b2723 }
  main { box-sizing: border-box; max-width: 28rem; min-height: 100dvh; margin: auto; padding: 1.5rem; display: flex; flex-direction: column; justify-content: center; align-items: flex-start }
  svg { color: #00706d } h1 { margin: 1.25rem 0 .5rem; font-size: 1.25rem } p { margin: 0 0 .75rem } .host { overflow-wrap: anywhere; font-weight: 600 }
  a { margin-top: .75rem; padding: .5rem 1rem; border-radius: 8px; background: #00706d; color: #fff; font-weight: 600; text-decoration: none }
  a:focus-visible { outline: 2px solid; outline-offset: 2px; outline-color: #00706d }
  @media (prefers-color-scheme: dark) {
    :root { background: #1b1916; color: #ece8e2 } svg { color: #5cc0bd } a { background: #5cc0bd; color: #10201f } a:focus-visible { outline-color: #5cc0bd }
  }`

const SIGN = `<svg width="40" height="40" viewBox="0 0 32 32" aria-hidden="true">
  <path d="M7 21.500c2-2.100 2.500-4.300 2.500-8C9.500 9.100 12.300 6 16 6s6.500 3.100 6.500 7.500c0 3.700.500 5.900 2.500 8z" fill="none" stroke="currentColor" stroke-width="2.400" stroke-linejoin="round"/>
  <circle cx="16" cy="26" r="2.400" fill="currentColor"/></svg>`

function page() {
  const language = self.location.search.slice(1)
  const known = Object.hasOwn(TEXTS, language) ? language : 'en'
  const text = TEXTS[known]
  const why = navigator.onLine
    ? `<p>${text.silent} <span class="host">${self.location.host}</span>.</p><p>${text.why}</p>`
    : `<p>${text.offline}</p>`
  // The link leads to where one wanted to go: that is the address of this page.
  const html = `<!doctype html><html lang="${known}"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${text.title}</title><style>${STYLE}</style><main>${SIGN}<h1>${text.title}</h1>${why}<a href="">${text.again}</a></main></html>`
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'", 'cache-control': 'no-store' }
  return new Response(html, { status: 503, headers })
}

async function opened(event) {
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(event.request))
    return NOBODY_THERE.includes(answer.status) ? page() : answer
  } catch {
    return page()
  }
}

addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(Promise.all([registration.navigationPreload?.enable(), clients.claim()])))
addEventListener('message', (event) => {
  const { remove } = event.data ?? {}
  if (typeof remove !== 'string' || !remove.startsWith('/api/')) return
  event.waitUntil(fetch(remove, { method: 'DELETE', headers: { accept: 'application/json' }, credentials: 'same-origin' }))
})
addEventListener('fetch', (event) => {
  if (event.request.mode === 'navigate') event.respondWith(opened(event))
})
