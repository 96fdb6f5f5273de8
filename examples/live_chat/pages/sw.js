// The line that shows notifications. All else is the desk's own worker as it was before.
importScripts('{{tidings}}/push/service-worker.js')

addEventListener('fetch', (event) => {
  if (event.request.mode !== 'navigate') return
  const offline = () => new Response('You are offline. The desk comes back with the network.', { status: 503 })
  event.respondWith(fetch(event.request).catch(offline))
})
