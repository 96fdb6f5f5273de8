const { user, token, tidings, available } = document.body.dataset
const byId = (id) => document.querySelector(`#${id}`)

// --- Push on this device: Settings › Profile › Push notifications ---

const WORDS = {
  unsupported: /iPhone|iPad/.test(navigator.userAgent)
    ? 'On an iPhone or iPad, add this desk to the Home Screen (iOS 16.4 or later) and open it there.'
    : 'This browser has no push notifications.',
  undecided: 'Hear of visitors who wait, also while this page is closed.',
  denied: 'Notifications are blocked. Allow them in the site settings of this browser, then reload this page.',
  registered: 'This device gets notifications.',
  unregistered: 'This device gets no notifications.',
}

function show(state) {
  byId('words').textContent = Tidings.lastError && state === 'unregistered' ? Tidings.lastError.message : WORDS[state]
  byId('enable').hidden = !['undecided', 'unregistered'].includes(state)
  byId('turn-off').hidden = state !== 'registered'
}

byId('enable').onclick = async () => show(await Tidings.subscribe())
byId('turn-off').onclick = async () => show(await Tidings.unsubscribe())

// The desk had a worker before; it has the line that shows notifications in it (sw.js).
Tidings.on('change', show)
Tidings.init({ serviceWorker: { path: '/sw.js' }, user: { id: user, token } }).then(async (state) => {
  show(state)
  const { ok } = await fetch(`${tidings}/push/vapid-key`)
  if (ok) return
  byId('enable').hidden = true
  byId('words').textContent = 'No VAPID keys are configured. Run: tidings vapid generate'
})

// --- Browser alerts: the same things in the page, while it is open ---

Tidings.bell('#bell')

// --- The desk itself ---

byId('available').checked = available === 'True'
byId('available').onchange = ({ target }) =>
  fetch('/desk/available', { method: 'POST', body: JSON.stringify({ available: target.checked }) })

async function listChats() {
  const wanted = new URLSearchParams(location.search).get('chat')
  for (const [id, lines] of Object.entries(await (await fetch('/desk/chats')).json())) {
    const entry = document.createElement('li')
    const link = document.createElement('a')
    link.href = `/desk?chat=${id}`
    link.textContent = lines[0].text
    entry.append(link)
    if (id === wanted) {
      link.setAttribute('aria-current', 'page')
      entry.append(...lines.map(({ who, text }) => Object.assign(document.createElement('p'), { textContent: `${who}: ${text}` })))
    }
    byId('chats').append(entry)
  }
}

listChats()
