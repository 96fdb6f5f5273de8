/** One clock for all relative times on the page; it ticks every ten seconds, and only while somebody reads it. */

import { createSubscriber } from 'svelte/reactivity'

const ticking = createSubscriber((update) => {
  const timer = setInterval(update, 10_000)
  return () => clearInterval(timer)
})

export function now(): number {
  ticking()
  return Date.now()
}
