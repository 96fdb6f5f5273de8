/** Variables as rows that people edit, made of and into a JSON Schema. */

import type { Schema } from './api'
import { variablesOf } from './variables'

export interface VariableRow {
  path: string
  kind: string
  about: string
}

export const VARIABLE_KINDS: readonly [kind: string, words: string][] = [
  ['string', 'Text'],
  ['integer', 'Whole number'],
  ['number', 'Number'],
  ['boolean', 'Yes or no'],
  ['array', 'List'],
  ['object', 'Object'],
  ['any', 'Anything'],
]

const PATH = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*){0,5}$/

/** Rows of a schema. */
export function rowsFrom(schema: Schema): VariableRow[] {
  return variablesOf(schema)
}

/** Whether rows can say everything that a schema says: one that can do more is edited as JSON. */
export function isPlain(schema: Schema): boolean {
  return JSON.stringify(sorted(schemaFrom(rowsFrom(schema)))) === JSON.stringify(sorted(plain(schema)))
}

function plain(schema: Schema): unknown {
  const { type, ...rest } = schema
  const properties = rest.properties ? { properties: Object.fromEntries(Object.entries(rest.properties).map(([name, one]) => [name, plain(one)])) } : {}
  const object = rest.properties ? {} : type ? { type } : {}
  return { ...rest, ...object, ...properties }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name, one]) => !(name === 'type' && one === 'object' && 'properties' in value))
  return Object.fromEntries(entries.sort(([one], [other]) => one.localeCompare(other)).map(([name, one]) => [name, sorted(one)]))
}

/** The schema of rows; `bot.name` becomes an object within. */
export function schemaFrom(rows: readonly VariableRow[]): Schema {
  const root: Schema = { properties: {} }
  for (const { path, kind, about } of rows) {
    if (!path.trim()) continue
    const names = path.trim().split('.')
    let here = root
    for (const name of names.slice(0, -1)) here = (here.properties ??= {})[name] ??= { type: 'object', properties: {} }
    const types = kind.split('|')
    const type = kind === 'any' ? {} : { type: types.length > 1 ? types : kind }
    ;(here.properties ??= {})[names.at(-1)!] = { ...type, ...(about.trim() ? { description: about.trim() } : {}) }
  }
  return root.properties && Object.keys(root.properties).length ? root : {}
}

/** What is wrong with the path of a row, among the others. */
export function pathFault(rows: readonly VariableRow[], at: number): string | undefined {
  const path = rows[at]!.path.trim()
  if (!path) return undefined
  if (!PATH.test(path)) return 'Letters, digits and _, with a dot between: bot.name.'
  const clash = rows.some((other, n) => n !== at && (other.path.trim() === path || other.path.trim().startsWith(`${path}.`)))
  return clash ? 'Another row has this name already, or something within it.' : undefined
}

/** Data as an event could bring it: what an example begins with. */
export function exampleOf(schema: Schema): Record<string, unknown> {
  const one = (inner: Schema, name: string): unknown => {
    if (inner.properties) return exampleOf(inner)
    const type = [inner.type ?? 'string'].flat()[0]
    if (type === 'integer' || type === 'number') return 1
    if (type === 'boolean') return true
    if (type === 'array') return []
    if (type === 'object') return {}
    // What is an address in a message has to be a whole one.
    return inner.format === 'uri' || /(url|link)$/i.test(name) ? 'https://www.example.com/' : name
  }
  return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, one(inner, name)]))
}
