/** What somebody would wish to have known before they sent: none of it keeps a notification from being sent. */

import { number, plural } from './format'
import { LOOKS } from './looks'
import type { Draft } from './message'

/** Characters on one line of title and of text, about: letters differ in width, and so do screens. */
const LINE = { title: 40, body: 45 }

const shownOn = (look: (typeof LOOKS)[number], of: 'title' | 'body') => look.lines[of === 'title' ? 0 : 1] * LINE[of]

const HOUR = 3_600_000

export interface Warning {
  id: string
  text: string
  /** The page that mends it, or the field of this one. */
  way?: { label: string; href: string } | { label: string; at: 'eventType' | 'ttl' }
}

interface Past {
  id: string
  title: string
  body?: string
  created_at: string
  to: object
}

/** The words that most or some will read. */
function everyText(draft: Draft, of: 'title' | 'body'): string[] {
  return [draft[of], ...draft.locales.map((one) => one[of])].map((text) => text.trim())
}

function cut(draft: Draft, of: 'title' | 'body'): string[] {
  const longest = Math.max(...everyText(draft, of).map((text) => [...text].length))
  return LOOKS.filter((look) => longest > shownOn(look, of)).map(({ name }) => name)
}

/** Hosts that a click would leave the App's sites for. */
function otherHosts(draft: Draft, origins: readonly string[]): string[] {
  if (origins.length === 0) return []
  const ours = origins.flatMap((origin) => hostOf(origin) ?? [])
  const addresses = [draft.url, ...draft.locales.map(({ url }) => url), ...(draft.asks === 'links' ? draft.actions.map(({ url }) => url) : [])]
  return [...new Set(addresses.flatMap((address) => hostOf(address) ?? []))].filter((host) => !ours.includes(host))
}

function hostOf(address: string): string | undefined {
  try {
    return new URL(address.trim()).host || undefined
  } catch {
    // Half written, or empty.
    return undefined
  }
}

/** That it is too long for browsers, which stands beside its bytes too. */
export const sizeWarnings = (fault: string | undefined): Warning[] => (fault ? [{ id: 'too_long', text: fault }] : [])

/** Of chosen people, whom it will not reach; which stands above them too. */
export function peopleWarnings({ unknown, without }: { unknown: number; without: number }): Warning[] {
  return [
    ...(unknown ? [{ id: 'people_unknown', text: plural(unknown, ['# id is unknown here: neither your server nor a device ever named it.', '# ids are unknown here: neither your server nor a device ever named them.']) }] : []),
    ...(without ? [{ id: 'people_without', text: plural(without, ['# person has no device with push: no push reaches them.', '# people have no device with push: no push reaches them.']) }] : []),
  ]
}

/** All there is to say of a draft; `past` are the notifications sent last, `now` is in milliseconds. */
export function warningsOf(draft: Draft, { origins, webPush, past, now }: { origins: readonly string[]; webPush: boolean; past: readonly Past[]; now: number }): Warning[] {
  if (!draft.title.trim()) return []
  const found: Warning[] = []
  // A preview went to one browser.
  const same = past.find((one) => !('subscriptions' in one.to) && one.title === draft.title.trim() && (one.body ?? '') === draft.body.trim() && now - Date.parse(one.created_at) < HOUR)
  if (same) found.push({ id: 'same_again', text: 'The same words were sent within the last hour.', way: { label: 'See that notification', href: `/notifications/${same.id}` } })
  if (!webPush) found.push({ id: 'web_push_off', text: 'Web Push is off for this App: no browser gets it.', way: { label: 'Turn it on under Push Notifications', href: '/settings/push-notifications' } })
  if (!draft.url.trim() && draft.asks !== 'question') found.push({ id: 'no_url', text: 'It has no URL: a click opens the start page of your site.' })
  const hosts = otherHosts(draft, origins)
  if (hosts.length) found.push({ id: 'other_host', text: `A click leads to ${hosts.join(', ')}, which is none of this App’s sites. Check the address for a slip.` })
  if (!draft.icon.trim()) found.push({ id: 'no_icon', text: 'It has no icon: most systems show that of the browser.' })
  for (const [id, of] of [['title_cut', 'title'], ['body_cut', 'body']] as const) {
    const systems = cut(draft, of)
    if (!systems.length) continue
    const fit = number(Math.min(...LOOKS.map((look) => shownOn(look, of))))
    found.push({ id, text: of === 'title' ? `The title may be cut on ${systems.join(', ')}: about ${fit} characters are shown everywhere.` : `The message may be cut on ${systems.join(', ')} until it is unfolded: about ${fit} characters are shown everywhere.` })
  }
  return found
}
