/** Who is behind ids, asked of the server a thousand at a time, each id once. */

import { api } from './api'
import { asProblem, type Problem } from './http'
import type { Known } from './people'

/** Ids that one request may ask for. */
const AT_ONCE = 1000

export class Lookup {
  known = $state.raw<ReadonlyMap<string, Known>>(new Map())
  unknown = $state.raw<ReadonlySet<string>>(new Set())
  problem = $state.raw<Problem | undefined>(undefined)
  #asked = new Set<string>()

  /** Ask for those that were not asked for before; what was refused is asked for again by the next call. */
  ask = async (ids: readonly string[]): Promise<void> => {
    const fresh = ids.filter((id) => !this.#asked.has(id))
    for (const id of fresh) this.#asked.add(id)
    this.problem = undefined
    for (let at = 0; at < fresh.length; at += AT_ONCE) {
      const part = fresh.slice(at, at + AT_ONCE)
      try {
        const { data, unknown } = await api.lookup(part)
        this.known = new Map([...this.known, ...data.map((one) => [one.id, one] as const)])
        this.unknown = new Set([...this.unknown, ...unknown])
      } catch (reason) {
        for (const id of fresh.slice(at)) this.#asked.delete(id)
        this.problem = asProblem(reason)
        return
      }
    }
  }
}
