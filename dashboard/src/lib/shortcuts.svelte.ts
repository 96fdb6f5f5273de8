/** Keys that lead somewhere: Ctrl or Cmd with K opens the palette, single keys do the rest, and can be turned off. */

import { go } from './router.svelte'
import { undo } from './undo.svelte'
import { unsaved } from './unsaved.svelte'

const SINGLE = 'tidings.keys'
const WAITS = 1500 // milliseconds in which a second key belongs to the first

/** After G. */
export const LEADS: readonly [key: string, href: string, label: string][] = [
  ['o', '/', 'Overview'],
  ['p', '/send', 'Send Push'],
  ['n', '/notifications', 'Notifications'],
  ['d', '/subscriptions', 'Subscriptions'],
  ['u', '/users', 'Users'],
  ['s', '/segments', 'Segments'],
  ['e', '/events', 'Events'],
  ['m', '/templates', 'Templates'],
  ['t', '/settings/triggers', 'Triggers'],
  ['i', '/settings/integrations', 'Integrations'],
]

function kept(): boolean {
  try {
    return localStorage.getItem(SINGLE) !== 'off'
  } catch {
    // Storage is blocked: they are on, as for whoever chose nothing.
    return true
  }
}

class Shortcuts {
  /** What is open over the page. */
  open = $state<'' | 'palette' | 'sheet'>('')
  /** Whether keys alone do anything: they may disturb who speaks to the computer. */
  single = $state(kept())
  #first = 0

  choose = (single: boolean): void => {
    this.single = single
    try {
      localStorage.setItem(SINGLE, single ? 'on' : 'off')
    } catch {
      // Storage is blocked: it holds until the page is left.
    }
  }

  #press = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.altKey || event.isComposing) return
    const key = event.key.toLowerCase()
    if ((event.ctrlKey || event.metaKey) && key === 'k' && !event.shiftKey) {
      event.preventDefault()
      if (this.open || !document.querySelector('dialog[open]')) this.open = this.open === 'palette' ? '' : 'palette'
      return
    }
    if ((event.ctrlKey || event.metaKey) && key === 'z' && !event.shiftKey && undo.offers() && !typing(event.target)) {
      event.preventDefault()
      void undo.take()
      return
    }
    if (event.ctrlKey || event.metaKey || !this.single || typing(event.target) || document.querySelector('dialog[open]')) return
    const led = Date.now() - this.#first < WAITS ? LEADS.find(([one]) => one === key) : undefined
    this.#first = 0
    if (led) unsaved.leave(() => go(led[1]))
    else if (key === 'g') this.#first = Date.now()
    else if (key === '?') this.open = 'sheet'
    else if (key !== '/' || !focusSearch()) return
    event.preventDefault()
  }

  /** Start listening; gives the function that ends it. */
  listen = (): (() => void) => {
    document.addEventListener('keydown', this.#press)
    return () => document.removeEventListener('keydown', this.#press)
  }
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLElement>('main input[type="search"]')
  field?.focus()
  return field !== null
}

export const shortcuts = new Shortcuts()

/** How Ctrl and K are called on this machine. */
export const PALETTE_KEYS = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ K' : 'Ctrl K'

/** How Ctrl and Z are called on this machine. */
export const UNDO_KEYS = PALETTE_KEYS.replace('K', 'Z')
