/** What somebody was writing when their session ended: it waits out of sight until the same person has signed in again. */

import { tick } from 'svelte'

class Hold {
  /** Whether something was typed into the page that is shown; without that nothing is worth waiting for. */
  typed = false
  /** Whether a page waits behind the sign-in. */
  on = $state(false)
  /** Whose pages are shown, as a number: another person is shown none of what was there. */
  life = $state(0)
  #whose: string | undefined
  #place: { title: string; focus: Element | null } | undefined
  #back: Promise<boolean> | undefined
  #answer: ((back: boolean) => void) | undefined

  /** The session of this member ended: let the page wait, if they typed something. */
  begin = (member: string | undefined): void => {
    this.#whose = member
    if (!this.typed || !member) return
    this.#place = { title: document.title, focus: document.activeElement }
    this.#back = new Promise((answer) => (this.#answer = answer))
    this.on = true
  }

  /** Until whoever typed is back: true then, false when somebody else came; undefined where nothing waits. */
  get back(): Promise<boolean> | undefined {
    return this.#back
  }

  /** Somebody has signed in. */
  end = (member: string | undefined): void => {
    const same = this.#whose === undefined || this.#whose === member
    if (!same) this.#forget()
    this.#whose = member
    this.#answer?.(same)
    this.#back = this.#answer = undefined
  }

  /** The page is in sight again: what the sign-in changed is as it was. */
  shown = async (): Promise<void> => {
    if (!this.on) return
    this.on = false
    const place = this.#place
    this.#place = undefined
    if (!place) return
    document.title = place.title
    await tick()
    if (place.focus instanceof HTMLElement && place.focus.isConnected) place.focus.focus()
  }

  /** Nothing waits for anybody: they left on purpose. */
  drop = (): void => {
    this.#forget()
    this.#whose = undefined
    this.#answer?.(false)
    this.#back = this.#answer = undefined
  }

  #forget(): void {
    this.on = false
    this.typed = false
    this.#place = undefined
    this.life += 1
  }
}

export const hold = new Hold()

const CHANNEL = 'tidings.left'

/** Tell the other tabs of this browser that somebody left on purpose. */
export function tellLeft(): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage(true)
  channel.close()
}

/** Hear that somebody left in another tab, until the answer is called. */
export function hearLeft(then: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = then
  return () => channel.close()
}
