/** One thing a person asked for: under way, done, or refused with a Problem that the page shows. */

import { asProblem, type Problem } from './http'

export class Attempt {
  busy = $state(false)
  problem = $state.raw<Problem | undefined>(undefined)

  /** Do it unless it is under way; true when it was done. */
  run = async (work: () => unknown): Promise<boolean> => {
    if (this.busy) return false
    this.busy = true
    this.problem = undefined
    try {
      await work()
      return true
    } catch (reason) {
      this.problem = asProblem(reason)
      return false
    } finally {
      this.busy = false
    }
  }

  clear = (): void => {
    this.problem = undefined
  }
}
