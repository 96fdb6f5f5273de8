/** The secret that a link carries after its `#`, which reaches no server's log and does not stay in the address bar. */

import { decoded } from './format'

/** Take the token out of the address and give it to `then`; also when another link is opened in the same tab. */
export function onToken(then: (token: string) => void): void {
  $effect(() => {
    const read = () => {
      if (location.hash.length < 2) return
      const token = decoded(location.hash.slice(1))
      history.replaceState(null, '', location.pathname + location.search)
      then(token)
    }
    read()
    window.addEventListener('hashchange', read)
    return () => window.removeEventListener('hashchange', read)
  })
}
