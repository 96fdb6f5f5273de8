/** The address bar and the pages: plain links everywhere, one listener here. */

import { decoded } from './format'
import { ours } from './routes'

class Route {
  path = $state(location.pathname)
  search = $state.raw(new URLSearchParams(location.search))

  read = (): void => {
    this.path = location.pathname
    this.search = new URLSearchParams(location.search)
  }
}

export const route = new Route()

export function go(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  route.read()
  if (!replace) window.scrollTo(0, 0)
}

/** Show a list as these filters narrow it, at an address that can be kept and sent on. */
export function narrow(list: string, filters: Record<string, string>): void {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value))
  go(`${list}${query.size ? `?${query}` : ''}`, { replace: true })
}

function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest('a')
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (!ours(link.pathname) || link.getAttribute('href')?.startsWith('#')) return
  event.preventDefault()
  go(link.pathname + link.search + link.hash)
}

/** Start listening; gives the function that ends it. */
export function listen(): () => void {
  document.addEventListener('click', follow)
  window.addEventListener('popstate', route.read)
  return () => {
    document.removeEventListener('click', follow)
    window.removeEventListener('popstate', route.read)
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
