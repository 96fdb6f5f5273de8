/** Something a page loads: loading, there, or failed with a way to try again. */

import { asProblem, type Problem } from './http'

export class Resource<T> {
  value = $state.raw<T | undefined>(undefined)
  problem = $state.raw<Problem | undefined>(undefined)
  loading = $state(true)
  readonly #fetch: (signal: AbortSignal) => Promise<T>
  #running: AbortController | undefined

  constructor(fetch: (signal: AbortSignal) => Promise<T>) {
    this.#fetch = fetch
  }

  /** Load, or load again; a newer call overrules an older one, and what is shown stays until the new is there. */
  load = (): Promise<void> => this.#run(false)

  /** Load again without a sign of it, for what looks again by itself; nothing happens while a load is under way. */
  refresh = async (): Promise<void> => {
    if (this.#running === undefined) await this.#run(true)
  }

  async #run(quietly: boolean): Promise<void> {
    this.#running?.abort()
    const mine = (this.#running = new AbortController())
    this.loading = !quietly
    try {
      const value = await this.#fetch(mine.signal)
      if (this.#running !== mine) return
      this.value = value
      this.problem = undefined
    } catch (reason) {
      if (this.#running !== mine) return
      this.problem = asProblem(reason)
    }
    this.loading = false
    this.#running = undefined
  }

  stop = (): void => {
    this.#running?.abort()
    this.#running = undefined
  }
}

/** A Resource that loads with its page and stops with it; to be called while a component starts. */
export function resource<T>(fetch: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const made = new Resource(fetch)
  $effect(() => {
    void made.load()
    return made.stop
  })
  return made
}
