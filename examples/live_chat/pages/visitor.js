const chat = (sessionStorage.chat ??= `c-${crypto.randomUUID().slice(0, 8)}`)
const name = new URLSearchParams(location.search).get('name') ?? 'Ada'

const post = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body) })

new EventSource(`/chat/stream?chat=${chat}`).onmessage = ({ data }) => {
  const { who, text } = JSON.parse(data)
  const line = document.createElement('li')
  line.textContent = `${who}: ${text}`
  document.querySelector('#lines').append(line)
}

document.querySelector('#message').onsubmit = (event) => {
  event.preventDefault()
  post('/chat/message', { chat, name, text: event.target.text.value })
  event.target.reset()
}

document.querySelector('#handoff').onclick = () => post('/chat/handoff', { chat, name })

document.querySelector('#lead').onsubmit = (event) => {
  event.preventDefault()
  post('/chat/lead', { name, email: event.target.email.value })
  event.target.reset()
}

// The widget tells the Widget Monitor when something of its own breaks.
addEventListener('error', ({ error }) => {
  post('/monitor', { type: error.name, severity: 'error', message: error.message })
})

document.querySelector('#break').onclick = () => catalogue.open() // there is no catalogue
