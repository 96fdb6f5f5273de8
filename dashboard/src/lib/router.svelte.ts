/** The address bar and the pages: plain links everywhere, one listener here. */

import { decoded } from './format'
import { hold } from './hold.svelte'
import { ours } from './routes'
import { unsaved } from './unsaved.svelte'

const PATIENCE = 1_500 // milliseconds for a page one comes back to, until it is as long as it was

interface Visit {
  visit?: string
  /** How many pages were opened before it. */
  at?: number
}

const state = () => (history.state ?? {}) as Visit

let visits = 0
/** The visit that is shown, by how many came before it. */
let place = state().at ?? 0
/** We undid a step of the browser's own, which tells us of it. */
let undone = false

class Route {
  path = $state(location.pathname)
  search = $state.raw(new URLSearchParams(location.search))
  /** Which visit of a page this is: the same again after going back to it. */
  visit: string = state().visit ?? 'first'
  readonly #places = new Map<string, number>()
  #wanted: { at: number; until: number } | undefined

  read = (): void => {
    this.path = location.pathname
    this.search = new URLSearchParams(location.search)
    this.visit = state().visit ?? 'first'
    place = state().at ?? 0
  }

  /** Remember how far down one is before another page is shown. */
  leave = (): void => {
    this.#places.set(this.visit, window.scrollY)
    this.#wanted = undefined
  }

  /** Read where the browser went back or forward to. */
  back = (): void => {
    if (undone) {
      undone = false
      return
    }
    const by = (state().at ?? 0) - place
    if (by && unsaved.any) {
      undone = true
      history.go(-by)
      unsaved.leave(() => {
        // What was asked about is given up.
        hold.typed = false
        history.go(by)
      })
      return
    }
    this.leave()
    this.read()
    this.#wanted = { at: this.#places.get(this.visit) ?? 0, until: performance.now() + PATIENCE }
    this.place()
  }

  /** Scroll to where one was, as soon as the page is long enough; who scrolls meanwhile is left alone. */
  place = (): void => {
    const wanted = this.#wanted
    if (!wanted) return
    window.scrollTo(0, wanted.at)
    if (performance.now() > wanted.until) this.#wanted = undefined
    else requestAnimationFrame(() => this.#wanted === wanted && this.place())
  }

  /** Scroll nowhere any more. */
  free = (): void => {
    this.#wanted = undefined
  }
}

export const route = new Route()

export function go(to: string, { replace = false } = {}): void {
  route.leave()
  if (replace) history.replaceState({ visit: route.visit, at: place } satisfies Visit, '', to)
  else history.pushState({ visit: `${performance.timeOrigin}-${++visits}`, at: place + 1 } satisfies Visit, '', to)
  route.read()
  if (!replace) window.scrollTo(0, 0)
}

/** Show a list as these filters narrow it, at an address that can be kept and sent on. */
export function narrow(list: string, filters: Record<string, string>): void {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value))
  go(`${list}${query.size ? `?${query}` : ''}`, { replace: true })
  window.scrollTo(0, 0)
}

function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest('a')
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (!ours(link.pathname) || link.getAttribute('href')?.startsWith('#')) return
  event.preventDefault()
  unsaved.leave(() => go(link.pathname + link.search + link.hash))
}

/** Start listening; gives the function that ends it. */
export function listen(): () => void {
  const hands = ['wheel', 'touchstart', 'keydown', 'pointerdown'] as const
  history.scrollRestoration = 'manual'
  document.addEventListener('click', follow)
  window.addEventListener('popstate', route.back)
  for (const hand of hands) window.addEventListener(hand, route.free, { passive: true })
  return () => {
    document.removeEventListener('click', follow)
    window.removeEventListener('popstate', route.back)
    for (const hand of hands) window.removeEventListener(hand, route.free)
  }
}

/** Match a path against `/notifications/:id`; the parameters, or undefined. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.replace(/(.)\/$/, '$1').split('/')
  if (wanted.length !== given.length) return undefined
  const found: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    const actual = given[at]!
    if (part.startsWith(':')) found[part.slice(1)] = decoded(actual)
    else if (part !== actual) return undefined
  }
  return found
}
