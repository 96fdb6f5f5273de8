/** A list read page by page over its cursors: the first when it starts, more on demand. */

import type { Page } from './api'
import { asProblem, type Problem } from './http'
import { Resource } from './resource.svelte'

export class Pages<T> extends Resource<T[]> {
  next = $state.raw<string | null>(null)
  reading = $state(false)
  failed = $state.raw<Problem | undefined>(undefined)
  readonly #read: (cursor: string | undefined, signal?: AbortSignal) => Promise<Page<T>>

  constructor(read: (cursor: string | undefined, signal?: AbortSignal) => Promise<Page<T>>) {
    super(async (signal) => {
      const page = await read(undefined, signal)
      if (!signal.aborted) this.next = page.next_cursor
      return page.data
    })
    this.#read = read
  }

  more = async (): Promise<void> => {
    if (!this.next || this.reading) return
    const before = this.value
    this.reading = true
    this.failed = undefined
    try {
      const page = await this.#read(this.next)
      // Loaded anew meanwhile, with another filter: these rows belong to a list that is gone.
      if (this.value === before) {
        this.next = page.next_cursor
        this.value = [...(before ?? []), ...page.data]
      }
    } catch (reason) {
      this.failed = asProblem(reason)
    }
    this.reading = false
  }

  /** Take one row out, or put another in its place. */
  replace(which: (row: T) => boolean, by?: T): void {
    this.value = this.value?.flatMap((row) => (which(row) ? (by === undefined ? [] : [by]) : [row]))
  }
}

/** Pages that load with their component; to be called while it starts. */
export function pages<T>(read: (cursor: string | undefined, signal?: AbortSignal) => Promise<Page<T>>): Pages<T> {
  const made = new Pages(read)
  $effect(() => {
    void made.load()
    return made.stop
  })
  return made
}
