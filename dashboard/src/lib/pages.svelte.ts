/** A list read page by page over its cursors: the first when it starts, more on demand. */

import type { Page } from './api'
import { asProblem, written, type Problem } from './http'
import { Resource } from './resource.svelte'
import { route } from './router.svelte'
import { session } from './session.svelte'

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

  /** Be as it was before. */
  restore(value: T[], next: string | null): void {
    this.value = value
    this.next = next
    this.loading = false
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

const KEPT = 8 // lists; who goes back further reads from the top

interface Kept {
  key: string
  value: unknown
  next: string | null
  written: number
}

const kept: Kept[] = []

/**
 * Pages that are as they were for who comes back to them, however far they had been read; read anew if anything was
 * changed meanwhile. `filters` says what they were narrowed to.
 */
export function keptPages<T>(read: (cursor: string | undefined, signal?: AbortSignal) => Promise<Page<T>>, filters: () => string): Pages<T> {
  const made = new Pages(read)
  $effect(() => {
    const key = `${route.visit} ${session.app?.id} ${location.pathname} ${filters()}`
    const before = kept.find((one) => one.key === key && one.written === written())
    if (before) made.restore(before.value as T[], before.next)
    else void made.load()
    return () => {
      made.stop()
      if (made.value === undefined || made.problem) return
      kept.splice(0, kept.length, ...kept.filter((one) => one.key !== key).slice(1 - KEPT))
      kept.push({ key, value: made.value, next: made.next, written: written() })
    }
  })
  return made
}
