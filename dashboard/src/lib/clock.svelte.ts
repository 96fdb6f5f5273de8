/** Two clocks for all times on the page; each ticks only while somebody reads it. */

import { createSubscriber } from 'svelte/reactivity'

const every = (milliseconds: number) =>
  createSubscriber((update) => {
    const timer = setInterval(update, milliseconds)
    return () => clearInterval(timer)
  })

const slow = every(10_000)
const fast = every(1000)

/** The time for what is told as "3 minutes ago". */
export function now(): number {
  slow()
  return Date.now()
}

/** The time for what counts down by the second. */
export function second(): number {
  fast()
  return Date.now()
}
