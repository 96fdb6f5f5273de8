/** The variables that an event type declares, as people pick them. */

import type { Schema } from './api'
import { word } from './format'

export interface Variable {
  /** As it is written between braces: `bot.name`. */
  path: string
  kind: string
  about: string
}

const DEEPEST = 6

function kindOf(schema: Schema): string {
  const types = [schema.type ?? (schema.properties ? 'object' : 'any')].flat().filter((type) => type !== 'null')
  return types.join('|') || 'any'
}

/** Every value that can be written, in the order in which they were declared; of an object, what is in it. */
export function variablesOf(schema: Schema | undefined, before: readonly string[] = []): Variable[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, inner]) => {
    const path = [...before, name]
    if (inner.properties && Object.keys(inner.properties).length && path.length < DEEPEST) return variablesOf(inner, path)
    return [{ path: path.join('.'), kind: kindOf(inner), about: inner.description ?? '' }]
  })
}

/** What words can say of everybody: the reader, whoever did it, the App. */
export const OF_PEOPLE: readonly Variable[] = [
  { path: 'user.name', kind: 'string', about: 'Whoever reads it, by the attribute `name`' },
  { path: 'user.id', kind: 'string', about: 'Their id' },
  { path: 'actor.name', kind: 'string', about: 'Whoever did it' },
  { path: 'app.name', kind: 'string', about: 'This App' },
]

export const OF_DIGESTS: readonly Variable[] = [{ path: 'digest.count', kind: 'integer', about: 'How many events it tells of' }]

/** Fields that a key can be made of: how conditions call them. */
export function keyFields(schema: Schema | undefined): string[] {
  return [...variablesOf(schema).filter(({ kind }) => kind !== 'array').map(({ path }) => `event.${path}`), 'actor.id']
}

/** A gap with this variable in it. */
export function gap(path: string): string {
  return `{{ ${path} }}`
}

const KINDS: Readonly<Record<string, string>> = { string: word('text'), integer: 'whole number', number: word('number'), boolean: 'yes or no', array: word('list'), object: word('object'), any: word('anything') }

/** The kind of a variable in plain words. */
export function kindInWords(kind: string): string {
  return kind.split('|').map((one) => KINDS[one] ?? one).join(' or ')
}
