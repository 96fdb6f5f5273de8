// A site that asks for the permission itself, once its service worker is ready, and registers the device then.
Tidings.init()
navigator.serviceWorker.register('/tidings-sw.js')

document.querySelector('#ask').onclick = () => {
  navigator.serviceWorker.ready
    .then(() => {
      if ('Notification' in window && Notification.permission !== 'denied') {
        return Notification.requestPermission()
      }
    })
    .then(async (permission) => {
      const state = permission === 'granted' ? await Tidings.subscribe() : await Tidings.state()
      document.querySelector('#words').textContent = state
    })
}
