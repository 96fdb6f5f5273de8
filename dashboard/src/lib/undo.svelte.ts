/** What can be taken back: done on the page at once, at the server when the time to take it back is over. */

import { asProblem, type Problem } from './http'

/** Milliseconds in which something can be taken back. */
export const PATIENCE = 10_000

interface Offer {
  /** What was done. */
  text: string
  /** Take it back. */
  undo?: () => void
  /** Do it for good; called once, and not at all if it was taken back. */
  settle?: () => Promise<unknown>
  /** The id of what is out of sight meanwhile. */
  hidden?: string
}

class Undo {
  offer = $state.raw<Offer | undefined>(undefined)
  problem = $state.raw<Problem | undefined>(undefined)
  #hidden = $state.raw<readonly string[]>([])
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Say what was done and offer to take it back; what was offered before is done for good. */
  show = (offer: Offer): void => {
    void this.settle()
    this.problem = undefined
    this.offer = offer
    if (offer.hidden) this.#hidden = [...this.#hidden, offer.hidden]
    this.go()
  }

  /** Whether lists leave something out, since it is as good as deleted. */
  hides = (id: string): boolean => this.#hidden.includes(id)

  take = (): void => {
    const offer = this.#end()
    this.#unhide(offer)
    offer?.undo?.()
  }

  /** Do it for good now. */
  settle = async (): Promise<void> => {
    const offer = this.#end()
    try {
      await offer?.settle?.()
    } catch (reason) {
      this.#unhide(offer)
      this.problem = asProblem(reason)
    }
  }

  /** While somebody points at the offer its time stands still. */
  wait = (): void => clearTimeout(this.#timer)

  go = (): void => {
    clearTimeout(this.#timer)
    if (this.offer) this.#timer = setTimeout(this.settle, PATIENCE)
  }

  close = (): void => {
    void this.settle()
    this.problem = undefined
  }

  #end(): Offer | undefined {
    clearTimeout(this.#timer)
    const { offer } = this
    this.offer = undefined
    return offer
  }

  #unhide(offer: Offer | undefined): void {
    this.#hidden = this.#hidden.filter((id) => id !== offer?.hidden)
  }
}

export const undo = new Undo()
