/** The composer's form: what is checked before a request, how long a push gets, and the body that is sent. */

import type { Action, Audience, Content, Urgency, Variant } from './api'
import { actionId, type VariantDraft } from './words'

/** Nothing, buttons that each open a page, or a question whose buttons are its answers. */
export type Asks = 'none' | 'links' | 'question'

/** A notification as one device shows it. */
export interface Said {
  title: string
  body: string
  icon?: string | null
  image?: string | null
  actions?: readonly { title: string }[]
  /** Where no buttons are shown, the click opens the page with the question. */
  asks?: boolean
}

export interface Draft {
  title: string
  body: string
  url: string
  icon: string
  image: string
  ttl: number
  urgency: Urgency
  collapseId: string
  /** The event type it tells of; empty for none. */
  eventType: string
  asks: Asks
  actions: { title: string; url: string }[]
  /** What it says in other languages; buttons there by their place. */
  locales: VariantDraft[]
  /** The template that its words were taken from; without an id, none. */
  template: { id: string; name: string; version: number }
}

export type AudienceKind = 'all' | 'segment' | 'user' | 'tag'

export interface Choice {
  kind: AudienceKind
  segment: string
  /** Ids of people. */
  users: string[]
  tagName: string
  tagValue: string
}

export const EMPTY_DRAFT: Draft = { title: '', body: '', url: '', icon: '', image: '', ttl: 86_400, urgency: 'normal', collapseId: '', eventType: '', asks: 'none', actions: [], locales: [], template: { id: '', name: '', version: 0 } }
export const EMPTY_CHOICE: Choice = { kind: 'all', segment: '', users: [], tagName: '', tagValue: '' }

export const TITLE_LIMIT = 200
export const BODY_LIMIT = 2000

export const BUTTON_LIMIT = 60
export const MOST_BUTTONS = 4
/** Browsers that have buttons show so many. */
export const BUTTONS_SHOWN = 2

/** Plaintext that Firefox takes, and that every other browser takes, in bytes (RFC 8291 leaves them; services differ). */
export const BYTES_FIREFOX = 2700
export const BYTES_OTHERS = 3993

export const TTLS: readonly [seconds: number, words: string][] = [
  [300, '5 minutes'],
  [3600, '1 hour'],
  [21_600, '6 hours'],
  [86_400, '1 day'],
  [259_200, '3 days'],
  [604_800, '7 days'],
  [2_419_200, '28 days'],
]

export const URGENCIES: readonly [Urgency, string][] = [
  ['very-low', 'Very low: on power and Wi-Fi'],
  ['low', 'Low: on power or Wi-Fi'],
  ['normal', 'Normal'],
  ['high', 'High: wake the device now'],
]

/** By field; of buttons and languages as `actions.0.url` and `locales.de.title`. */
export type Faults = Record<string, string>

const isLocal = (host: string) => ['localhost', '127.0.0.1', '[::1]'].includes(host) || host.endsWith('.localhost')

/** Pages and pictures may be on this machine, for development. */
function addressFault(text: string, { picture }: { picture: boolean }): string | undefined {
  if (!text.trim()) return undefined
  let url: URL
  try {
    url = new URL(text.trim())
  } catch {
    return 'This is not a complete address. Begin with https://'
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal(url.hostname))) return undefined
  return picture ? 'Pictures are shown only from https:// addresses.' : 'Browsers open only https:// addresses from a notification.'
}

/** Whether only devices on this machine can load something. */
export function onlyHere(address: string): boolean {
  try {
    return isLocal(new URL(address.trim()).hostname)
  } catch {
    return false
  }
}

/** What keeps this draft from being sent, by field; empty when nothing does. */
export function faultsOf(draft: Draft): Faults {
  const faults: Faults = {}
  if (!draft.title.trim()) faults.title = 'A notification needs a title.'
  else if (draft.title.length > TITLE_LIMIT) faults.title = `The title has ${draft.title.length} characters; ${TITLE_LIMIT} fit.`
  if (draft.body.length > BODY_LIMIT) faults.body = `The message has ${draft.body.length} characters; ${BODY_LIMIT} fit.`
  for (const field of ['url', 'icon', 'image'] as const) {
    const fault = addressFault(draft[field], { picture: field !== 'url' })
    if (fault) faults[field] = fault
  }
  return { ...faults, ...buttonFaults(draft), ...languageFaults(draft) }
}

function buttonFaults(draft: Draft): Faults {
  const faults: Faults = {}
  if (draft.asks === 'none') return faults
  for (const [at, one] of draft.actions.entries()) {
    if (!one.title.trim()) faults[`actions.${at}.title`] = draft.asks === 'question' ? 'Write the answer, or remove it.' : 'A button needs a word on it.'
    if (draft.asks === 'question') continue
    const fault = one.url.trim() ? addressFault(one.url, { picture: false }) : 'Say which page the button opens.'
    if (fault) faults[`actions.${at}.url`] = fault
  }
  return faults
}

function languageFaults(draft: Draft): Faults {
  const faults: Faults = {}
  for (const one of draft.locales) {
    const at = `locales.${one.tag}`
    if (!one.title.trim() && !one.body.trim()) faults[`${at}.title`] = 'Write something in this language, or remove it.'
    const fault = addressFault(one.url, { picture: false })
    if (fault) faults[`${at}.url`] = fault
  }
  return faults
}

/** The audience as the API takes it, or undefined while it is not complete. */
export function audienceFrom(choice: Choice): Audience | undefined {
  if (choice.kind === 'all') return { all: true }
  if (choice.kind === 'user') return choice.users.length ? { users: choice.users } : undefined
  if (choice.kind === 'segment') return choice.segment ? { segment: choice.segment } : undefined
  const name = choice.tagName.trim()
  return name && choice.tagValue.trim() ? { tags: { [name]: choice.tagValue.trim() } } : undefined
}

/** The content as the API takes it: only what was filled in. */
export function contentFrom(draft: Draft): Content {
  const content: Content = { title: draft.title.trim(), ttl: draft.ttl, urgency: draft.urgency }
  if (draft.body.trim()) content.body = draft.body.trim()
  if (draft.url.trim()) content.url = draft.url.trim()
  if (draft.icon.trim()) content.icon = draft.icon.trim()
  if (draft.image.trim()) content.image = draft.image.trim()
  if (draft.collapseId.trim()) content.collapse_id = draft.collapseId.trim()
  if (draft.eventType) content.type = draft.eventType
  const actions = actionsFrom(draft)
  if (actions.length) content.actions = actions
  if (draft.locales.length) content.locales = Object.fromEntries(draft.locales.map((one) => [one.tag, variantFrom(one, actions)]))
  return content
}

/** The buttons as the API takes them; their ids are made of their words. */
function actionsFrom({ asks, actions }: Draft): Action[] {
  if (asks === 'none') return []
  const made: Action[] = []
  for (const [at, one] of actions.entries()) {
    const id = actionId(one.title, made.map(({ id }) => id), `button-${at + 1}`)
    made.push({ id, title: one.title.trim(), ...(asks === 'links' ? { url: one.url.trim() } : {}) })
  }
  return made
}

function variantFrom(of: VariantDraft, actions: readonly Action[]): Variant {
  const variant: Variant = {}
  if (of.title.trim()) variant.title = of.title.trim()
  if (of.body.trim()) variant.body = of.body.trim()
  if (of.url.trim()) variant.url = of.url.trim()
  const titles = actions.flatMap(({ id }, at) => (of.actions[at]?.trim() ? [[id, of.actions[at].trim()] as const] : []))
  if (titles.length) variant.actions = Object.fromEntries(titles)
  return variant
}

/** What somebody reads who has one of its languages; undefined: none of them. */
export function saidIn(draft: Draft, tag: string | undefined): Said {
  const one = draft.locales.find((locale) => locale.tag === tag)
  const actions = draft.asks === 'none' ? [] : draft.actions.map(({ title }, at) => ({ title: one?.actions[at]?.trim() || title }))
  const { icon, image } = draft
  return { title: one?.title.trim() || draft.title, body: one?.body.trim() || draft.body, icon, image, actions, asks: draft.asks === 'question' && !(one?.url || draft.url).trim() }
}

/** The size of what is encrypted for each device, in bytes of UTF-8: the declarative form with our ids in it, in its longest language. */
export function bytesOf(draft: Draft): number {
  const content = contentFrom(draft)
  return Math.max(...[undefined, ...Object.entries(content.locales ?? {})].map((one) => bytesIn(content, one)))
}

function bytesIn(content: Content, language: readonly [string, Variant] | undefined): number {
  const id = '0'.repeat(32)
  const [lang, words] = language ?? []
  const url = words?.url ?? content.url
  const actions = content.actions?.map((one) => ({ ...one, title: words?.actions?.[one.id] ?? one.title }))
  const payload = {
    ...(url ? { web_push: 8030 } : {}),
    notification: {
      title: words?.title ?? content.title, body: words?.body ?? content.body ?? '', navigate: url, lang, icon: content.icon, tag: content.collapse_id ?? id,
    },
    tidings: { a: actions, i: content.image, d: id, t: '0'.repeat(16) },
  }
  return new TextEncoder().encode(JSON.stringify(payload)).length
}

/** Where a push will be too long, in words; undefined while it fits everywhere. */
export function sizeFault(bytes: number): string | undefined {
  if (bytes <= BYTES_FIREFOX) return undefined
  if (bytes <= BYTES_OTHERS) return 'Too long for Firefox, which takes 2\u202f700 bytes. Other browsers take it.'
  return 'Too long for every browser. Shorten the message or the addresses.'
}

/** A fresh Idempotency-Key; `crypto.randomUUID` is missing where the dashboard is opened over plain http. */
export function idempotencyKey(random: (into: Uint8Array) => Uint8Array = (into) => crypto.getRandomValues(into as Uint8Array<ArrayBuffer>)): string {
  return Array.from(random(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
