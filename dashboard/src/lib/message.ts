/** The composer's form: what is checked before a request, how long a push gets, and the body that is sent. */

import type { Audience, Content, Urgency } from './api'

export interface Draft {
  title: string
  body: string
  url: string
  icon: string
  image: string
  ttl: number
  urgency: Urgency
  collapseId: string
}

export type AudienceKind = 'all' | 'segment' | 'user' | 'tag'

export interface Choice {
  kind: AudienceKind
  segment: string
  user: string
  tagName: string
  tagValue: string
}

export const EMPTY_DRAFT: Draft = { title: '', body: '', url: '', icon: '', image: '', ttl: 86_400, urgency: 'normal', collapseId: '' }
export const EMPTY_CHOICE: Choice = { kind: 'all', segment: '', user: '', tagName: '', tagValue: '' }

export const TITLE_LIMIT = 200
export const BODY_LIMIT = 2000

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

export type Faults = Partial<Record<keyof Draft | 'user' | 'tag', string>>

/** A page may be on this machine, for development; a picture has to be where devices can fetch it. */
function addressFault(text: string, { picture }: { picture: boolean }): string | undefined {
  if (!text.trim()) return undefined
  let url: URL
  try {
    url = new URL(text.trim())
  } catch {
    return 'This is not a complete address. Begin with https://'
  }
  const local = !picture && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && local)) return undefined
  return picture ? 'Pictures are shown only from https:// addresses.' : 'Browsers open only https:// addresses from a notification.'
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
  return faults
}

/** The audience as the API takes it, or undefined while it is not complete. */
export function audienceFrom(choice: Choice): Audience | undefined {
  if (choice.kind === 'all') return { all: true }
  if (choice.kind === 'user') return choice.user.trim() ? { users: [choice.user.trim()] } : undefined
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
  return content
}

/** The size of what is encrypted for each device, in bytes of UTF-8: the declarative form with our ids in it. */
export function bytesOf(draft: Draft): number {
  const id = '0'.repeat(32)
  const content = contentFrom(draft)
  const payload = {
    ...(content.url ? { web_push: 8030 } : {}),
    notification: {
      title: content.title, body: content.body ?? '', navigate: content.url, icon: content.icon, tag: content.collapse_id ?? id,
    },
    tidings: { i: content.image, d: id, t: '0'.repeat(16) },
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
