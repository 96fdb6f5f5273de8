// On every page of the community; members alone hear from it.
const { member, token } = document.body.dataset

Tidings.init({ serviceWorker: { path: '/community/sw.js' }, user: member ? { id: member, token } : null })

if (member) {
  Tidings.banner() // "Enable push notifications"; the browser asks only after a click on it
  Tidings.bell('#bell')

  const settings = document.querySelector('#settings')
  if (settings) Tidings.preferences(settings)

  const follow = document.querySelector('#follow')
  if (follow) followable(follow)
}

async function followable(button) {
  const { topic } = button.dataset
  const show = (topics) => {
    button.ariaPressed = topics.includes(topic)
    button.textContent = topics.includes(topic) ? 'Following' : 'Follow this topic'
    button.hidden = false
  }
  button.onclick = async () => show(await (button.ariaPressed === 'true' ? Tidings.unfollow(topic) : Tidings.follow(topic)))
  show(await Tidings.topics())
}
