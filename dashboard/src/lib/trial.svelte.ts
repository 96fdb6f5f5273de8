/** A test notification on its way: asked after until it has ended, and looked into where that takes long. */

import { api, type TestNotification } from './api'
import { asProblem, type Problem } from './http'
import { FINAL } from './progress.svelte'

export const EVERY = 700 // milliseconds
/** Milliseconds after which the hints are looked at although it still waits; "it should appear within a few seconds". */
export const LATE = 5000

export class TrialWatch {
  state = $state.raw<TestNotification | undefined>(undefined)
  problem = $state.raw<Problem | undefined>(undefined)
  /** Seconds that it took, or has taken so far. */
  seconds = $state(0)
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Watch a test until it ends or the page does. */
  watch(integration: string, id: string, clock: () => number = () => performance.now()): void {
    this.stop()
    const began = clock()
    this.state = { id, status: 'waiting', reason: null, hints: [] }
    let looked = false
    const look = async () => {
      try {
        const done = FINAL.includes((await api.notification(id)).status)
        this.seconds = (clock() - began) / 1000
        if (done || (!looked && clock() - began > LATE)) {
          looked = true
          this.state = await api.lookAtTest(integration, id)
        }
        this.problem = undefined
      } catch (reason) {
        this.problem = asProblem(reason)
      }
      if (this.state?.status === 'waiting' && this.#timer !== undefined) this.#timer = setTimeout(look, EVERY)
    }
    this.#timer = setTimeout(look, EVERY / 2)
  }

  stop = (): void => {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
