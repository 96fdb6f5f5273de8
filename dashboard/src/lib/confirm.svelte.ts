/** Recent authentication: one question for all requests that wait for it. */

import { whenUnconfirmed } from './http'

class Confirmation {
  open = $state(false)
  #waiting: Promise<boolean> | undefined
  #answer: ((confirmed: boolean) => void) | undefined

  /** Ask, or wait for the question that is open already. */
  ask = (): Promise<boolean> => {
    this.#waiting ??= new Promise((answer) => {
      this.#answer = answer
      this.open = true
    })
    return this.#waiting
  }

  /** End the question, confirmed or not. */
  answer = (confirmed: boolean): void => {
    this.open = false
    this.#answer?.(confirmed)
    this.#answer = undefined
    this.#waiting = undefined
  }
}

export const confirmation = new Confirmation()

const CHANNEL = 'tidings.confirmed'

/** Tell the page that waits that a provider has confirmed who one is. */
export function tellConfirmed(): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage(true)
  channel.close()
}

/** Hear of a confirmation in another window, until the answer is called. */
export function hearConfirmed(then: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = then
  return () => channel.close()
}

whenUnconfirmed(confirmation.ask)
