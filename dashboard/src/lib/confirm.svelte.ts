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

whenUnconfirmed(confirmation.ask)
