/** What can be taken back: done on the page at once, at the server when the time to take it back is over. */

import { asProblem, type Problem } from './http'

/** Milliseconds in which something can be taken back. */
export const PATIENCE = 10_000

interface Offer {
  /** What was done. */
  text: string
  /** What follows from it. */
  note?: string
  /** Take it back. */
  undo?: () => unknown
  /** Do it for good; called once, and not at all if it was taken back. */
  settle?: () => Promise<unknown>
  /** The id of what is out of sight meanwhile. */
  hidden?: string
}

class Undo {
  offer = $state.raw<Offer | undefined>(undefined)
  problem = $state.raw<Problem | undefined>(undefined)
  /** How often something was taken back: what is shown of it may be old then. */
  taken = $state(0)
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

  /** Leave out of a list what is as good as deleted. */
  without = <T extends { id: string }>(rows: readonly T[]): T[] => rows.filter(({ id }) => !this.hides(id))

  /** Whether something can be taken back now: anything, or what has this id. */
  offers = (id?: string): boolean => Boolean(id ? this.offer?.hidden === id : (this.offer?.undo ?? this.offer?.hidden))

  take = async (): Promise<void> => {
    const offer = this.#end()
    this.#unhide(offer)
    try {
      await offer?.undo?.()
      this.taken += 1
    } catch (reason) {
      this.problem = asProblem(reason)
    }
  }

  /** Do it for good now. */
  settle = async (): Promise<void> => {
    const offer = this.#end()
    try {
      await offer?.settle?.()
    } catch (reason) {
      const problem = asProblem(reason)
      // Somebody else was quicker: it is gone, as it should be.
      if (problem.status === 404) return
      this.#unhide(offer)
      this.problem = problem
    }
  }

  /** Do it for good now, and show what has that id again: it is made anew. */
  reuse = async (id: string): Promise<void> => {
    await this.settle()
    this.#hidden = this.#hidden.filter((one) => one !== id)
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
