// Whoever talks to a bot can let it reach them when they have left: on this device, by a button in the chat.
const { user, token } = document.body.dataset
const button = document.querySelector('#remind')
const answer = document.querySelector('#answer')

const ANSWERS = {
  unsupported: 'Cleo: This browser shows no notifications. On an iPhone, add this page to the Home Screen.',
  undecided: '',
  denied: 'Cleo: Your browser blocks notifications of this site, so I will be silent.',
  registered: 'Cleo: Good, you will hear from me.',
  unregistered: '',
}

function show(state) {
  answer.textContent = ANSWERS[state]
  button.hidden = !user || !['undecided', 'unregistered'].includes(state)
}

button.onclick = () => Tidings.subscribe().then(show)

Tidings.init({ user: user ? { id: user, token } : null }).then(show)
