/** What is written on a page and not saved: who leaves it is asked first. */

import { untrack } from 'svelte'

import { hold } from './hold.svelte'

class Unsaved {
  /** What one would do, while one is asked whether to leave. */
  asked = $state.raw<(() => void) | undefined>(undefined)
  #pages = 0

  /** Whether leaving would lose something; what a page fills in by itself is not missed. */
  get any(): boolean {
    return this.#pages > 0 && hold.typed
  }

  /** A page has something that is not saved, until the answer is called. */
  begin = (): (() => void) => {
    this.#pages += 1
    return () => (this.#pages -= 1)
  }

  /** Do what leads away, after asking where something would be lost. */
  leave = (then: () => void): void => {
    if (this.any) this.asked = then
    else then()
  }

  /** Closing the window is asked about by the browser. */
  listen = (): (() => void) => {
    const warn = (event: BeforeUnloadEvent) => this.any && event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }
}

export const unsaved = new Unsaved()

/** Watch what a page would save; `keep` says that it is saved as it is now. To be called while a component starts. */
export function watched(of: () => unknown): { keep: () => void; readonly dirty: boolean } {
  let kept = $state(JSON.stringify(of()))
  const dirty = $derived(JSON.stringify(of()) !== kept)
  $effect(() => (dirty ? unsaved.begin() : undefined))
  return {
    // Whoever says so is not to run again when something is written.
    keep: () => untrack(() => (kept = JSON.stringify(of()))),
    get dirty() {
      return dirty
    },
  }
}
