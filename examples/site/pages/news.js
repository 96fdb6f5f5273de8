// Tidings never asks by itself. This page asks when its reader presses a button.
const words = document.querySelector('#words')
const button = document.querySelector('#subscribe')

const WORDS = {
  unsupported: 'This browser has no push notifications. On an iPhone, add this page to the Home Screen.',
  undecided: 'Hear of it when something is new, also while this page is closed.',
  denied: 'Notifications are blocked. You can allow them in the settings of your browser, beside our address.',
  registered: 'You hear from us when something is new.',
  unregistered: 'You allowed notifications, but this device is not registered.',
}

function show(state) {
  words.dataset.state = state
  words.textContent = WORDS[state]
  button.hidden = !['undecided', 'unregistered'].includes(state)
}

button.onclick = () => Tidings.subscribe().then(show)

Tidings.init().then(show)
