/** Conditions as the API takes them: fields, operators and values, and how each is written in a form. */

import { word } from './format'

export interface Comparison {
  field: string | string[]
  op: Op
  value?: unknown
  ignore_case?: boolean
}

export type Node = { all: Node[] } | { any: Node[] } | { not: Node } | Comparison

/** The JSON form; the server adds `v`. */
export type Conditions = Node & { v?: number }

export type Op =
  | 'equals' | 'not_equals' | 'in' | 'not_in' | 'less' | 'at_most' | 'greater' | 'at_least' | 'contains' | 'not_contains'
  | 'starts_with' | 'ends_with' | 'exists' | 'missing' | 'within_last' | 'more_than_ago' | 'within_next'

/** What a value is: it decides how it is typed, and nothing is converted. */
export type Kind = 'text' | 'number' | 'boolean' | 'time' | 'version' | 'field'

export const KINDS: readonly [Kind, string][] = [
  ['text', 'Text'], ['number', 'Number'], ['boolean', 'Yes or no'], ['time', 'Time'], ['version', 'Version'], ['field', 'Another field'],
]

/** What a field that is known holds; the App decides about all others. */
export type Holds = 'text' | 'time' | 'topics' | 'any'

export interface KnownField {
  name: string
  holds?: Holds
  kind?: Kind
  /** What it is, for the list of suggestions. */
  words?: string
}

const USER: readonly KnownField[] = [
  { name: 'user.id', holds: 'text', words: 'the id that your system gives' }, { name: 'user.locale', holds: 'text', words: 'language, such as de-AT' },
  { name: 'user.time_zone', holds: 'text', words: 'such as Europe/Vienna' }, { name: 'user.created_at', holds: 'time', words: 'when the App named them first' },
  { name: 'user.topics', holds: 'topics', words: 'what they follow' },
]

const DEVICE: readonly KnownField[] = [
  { name: 'subscription.provider', holds: 'text', words: 'webpush, fcm or apns' }, { name: 'subscription.device', holds: 'text', words: 'such as Firefox on Windows' },
  { name: 'subscription.locale', holds: 'text', words: 'the browser’s language' }, { name: 'subscription.time_zone', holds: 'text', words: 'the browser’s time zone' },
  { name: 'subscription.app_version', holds: 'text', words: 'of a phone’s app' }, { name: 'subscription.created_at', holds: 'time', words: 'when it subscribed' },
  { name: 'subscription.last_seen_at', holds: 'time', words: 'the last visit' }, { name: 'subscription.last_active_at', holds: 'time', words: 'when a push last reached it' },
  { name: 'subscription.user_id', holds: 'text', words: 'whose it is' }, { name: 'subscription.id', holds: 'text', words: 'sub_…' },
]

/** What a segment may ask for, beside attributes (`user.plan`) and tags (`subscription.tags.plan`). */
export const SEGMENT_FIELDS: readonly KnownField[] = [...USER, ...DEVICE]

/** What a trigger may ask for of people; what its event has comes before. */
export const PERSON_FIELDS: readonly KnownField[] = [...USER, ...USER.map((one) => ({ ...one, name: one.name.replace('user.', 'actor.') }))]

const EQUAL: readonly [Op, string][] = [['equals', word('is')], ['not_equals', 'is not'], ['in', 'is one of'], ['not_in', 'is none of']]
const PART: readonly [Op, string][] = [['contains', word('contains')], ['not_contains', 'does not contain'], ['starts_with', 'starts with'], ['ends_with', 'ends with']]
const THERE: readonly [Op, string][] = [['exists', 'is there'], ['missing', 'is missing']]
const ORDER: readonly [Op, string][] = [['less', 'is less than'], ['at_most', 'is at most'], ['greater', 'is more than'], ['at_least', 'is at least']]
const RELATIVE: readonly [Op, string][] = [['within_last', 'is within the last'], ['more_than_ago', 'is longer ago than'], ['within_next', 'is within the next']]

const OPS: Readonly<Record<Holds, readonly [Op, string][]>> = {
  text: [...EQUAL, ...PART, ['less', 'is before'], ['greater', 'is after'], ['at_most', 'is at most'], ['at_least', 'is at least'], ...THERE],
  time: [...RELATIVE, ['less', 'is before'], ['greater', 'is after'], ['at_most', 'is at the latest'], ['at_least', 'is at the earliest'], ...THERE],
  topics: [['contains', word('include')], ['not_contains', 'do not include'], ['exists', 'are any'], ['missing', 'are none']],
  any: [...EQUAL, ...PART, ...ORDER, ...RELATIVE, ...THERE],
}

export const opsFor = (holds: Holds): readonly [Op, string][] => OPS[holds]
export const isRelative = (op: Op) => RELATIVE.some(([one]) => one === op)
export const isOrdering = (op: Op) => ORDER.some(([one]) => one === op)
export const isList = (op: Op) => op === 'in' || op === 'not_in'
export const wantsNothing = (op: Op) => THERE.some(([one]) => one === op)

/** The kinds that a value may be: of a field that is known fewer than of another. */
export function kindsFor(op: Op, holds: Holds, fields: boolean): readonly Kind[] {
  if (wantsNothing(op) || isRelative(op) || isList(op)) return []
  if (holds === 'topics') return ['text']
  if (holds === 'time') return ['time']
  const rest: Kind[] = fields ? ['field'] : []
  if (isOrdering(op)) return holds === 'text' ? ['version', 'time', ...rest] : ['number', 'time', 'version', ...rest]
  if (op === 'starts_with' || op === 'ends_with') return ['text', ...rest]
  if (op === 'contains' || op === 'not_contains') return holds === 'text' ? ['text', ...rest] : ['text', 'number', 'boolean', ...rest]
  return holds === 'text' ? ['text', ...rest] : ['text', 'number', 'boolean', 'version', ...rest]
}

/** A field as it is written: `user.plan`, or `user["first name"]` where a name has signs of its own. */
export function fieldText(field: string | string[]): string {
  const names = typeof field === 'string' ? field.split('.') : field
  return names.map((name, at) => (at === 0 ? name : /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`)).join('')
}

/** A field as the API takes it; what cannot be read goes there as it is, to be refused with its place. */
export function fieldFrom(text: string): string | string[] {
  const names: string[] = []
  let rest = text.trim()
  while (rest) {
    const found = /^(?:\.?([^.[\]]+)|\[("(?:[^"\\]|\\.)*")\])/.exec(rest)
    if (!found) return text.trim()
    try {
      names.push(found[1] ?? (JSON.parse(found[2]!) as string))
    } catch {
      return text.trim()
    }
    rest = rest.slice(found[0].length)
  }
  return names.some((name) => name.includes('.')) ? names : names.join('.')
}

/** What a field holds, as far as it is known. */
export function holdsOf(field: string, known: readonly KnownField[]): Holds {
  return known.find((one) => one.name === field.trim())?.holds ?? (field.startsWith('subscription.tags') ? 'text' : 'any')
}

/** A list as it is typed: words with commas between, and whatever is not a plain word as JSON. */
export function listText(values: readonly unknown[]): string {
  const plain = values.every((one) => typeof one === 'string' && /^[^\s,"[\]{}]+(?: [^\s,"[\]{}]+)*$/.test(one) && !isJson(one))
  return values.map((one) => (plain ? String(one) : JSON.stringify(one))).join(', ')
}

export function listFrom(text: string): unknown[] {
  if (!text.trim()) return []
  try {
    return JSON.parse(`[${text}]`) as unknown[]
  } catch {
    return text.split(',').map((one) => one.trim()).filter(Boolean).map((one) => (isJson(one) ? (JSON.parse(one) as unknown) : one))
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What a value is, and how it is typed. */
export function typed(value: unknown): { kind: Kind; text: string } {
  if (typeof value === 'number') return { kind: 'number', text: String(value) }
  if (typeof value === 'boolean') return { kind: 'boolean', text: String(value) }
  if (Array.isArray(value)) return { kind: 'text', text: listText(value) }
  if (typeof value === 'object' && value !== null) {
    const [[tag, inner] = ['', '']] = Object.entries(value) as [string, unknown][]
    if (tag === 'field') return { kind: 'field', text: fieldText(inner as string | string[]) }
    if (tag === 'time' || tag === 'version') return { kind: tag, text: String(inner) }
  }
  return { kind: 'text', text: typeof value === 'string' ? value : '' }
}

/** What a text looks like that is typed where nobody knows what the field holds. */
export function kindTyped(text: string): 'text' | 'number' | 'boolean' {
  const said = text.trim()
  if (said === 'true' || said === 'false') return 'boolean'
  return /^-?(0|[1-9]\d{0,14})(\.\d{1,9})?$/.test(said) ? 'number' : 'text'
}

/** The value that was typed; what is no number goes as text, to be refused with its place. */
export function valueFrom(kind: Kind, text: string): unknown {
  switch (kind) {
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
    case 'boolean':
      return text === 'true'
    case 'time':
      return { time: text.trim() }
    case 'version':
      return { version: text.trim() }
    case 'field':
      return { field: fieldFrom(text) }
    case 'text':
      return text
  }
}
