/** Conditions while they are edited: groups and rows that forms are bound to, made of the JSON form and made into it. */

import { type Comparison, type Conditions, fieldFrom, fieldText, holdsOf, isList, isRelative, type Kind, kindTyped, listFrom, type Node, type Op, PERSON_FIELDS, SEGMENT_FIELDS, typed, valueFrom, wantsNothing } from '../../lib/filters'

let keys = 0
const OURS = [...SEGMENT_FIELDS, ...PERSON_FIELDS]

/** One comparison. */
export class Row {
  readonly key = ++keys
  field = $state('')
  op = $state<Op>('equals')
  kind = $state<Kind>('text')
  text = $state('')
  ignoreCase = $state(false)
  /** Whether somebody chose the kind: then what is typed changes it no more. */
  chosen = false

  static of(one: Comparison): Row {
    const made = new Row()
    made.field = fieldText(one.field)
    made.op = one.op
    Object.assign(made, typed(one.value))
    made.chosen = made.kind !== kindTyped(made.text)
    made.ignoreCase = one.ignore_case ?? false
    return made
  }

  node(): Comparison {
    const { op } = this
    // Ids and the like are texts, also those that look like numbers.
    const listed = () => (holdsOf(this.field, OURS) === 'text' ? listFrom(this.text).map(String) : listFrom(this.text))
    const value = isList(op) ? listed() : isRelative(op) ? this.text.trim() : valueFrom(this.kind, this.text)
    return {
      field: fieldFrom(this.field), op,
      ...(wantsNothing(op) ? {} : { value }),
      ...(this.ignoreCase && this.mayIgnoreCase ? { ignore_case: true } : {}),
    }
  }

  /** Only texts are compared without case. */
  get mayIgnoreCase(): boolean {
    const textual: Op[] = ['equals', 'not_equals', 'contains', 'not_contains', 'starts_with', 'ends_with']
    return isList(this.op) || (textual.includes(this.op) && this.kind === 'text')
  }
}

/** How the parts of a group are joined. */
export type Joint = 'all' | 'any' | 'none' | 'not_all'

export const JOINTS: readonly [Joint, string][] = [
  ['all', 'All of these hold'], ['any', 'At least one of these holds'], ['none', 'None of these holds'], ['not_all', 'Not all of these hold'],
]

export class Group {
  readonly key = ++keys
  joint = $state<Joint>('all')
  parts = $state.raw<readonly Part[]>([])

  static of(joint: Joint, parts: readonly Part[]): Group {
    const made = new Group()
    made.joint = joint
    made.parts = parts
    return made
  }

  add = (part: Part): void => {
    this.parts = [...this.parts, part]
  }

  remove = (part: Part): void => {
    this.parts = this.parts.filter((one) => one !== part)
  }

  /** Whether a condition in it has no field yet. */
  get unnamed(): boolean {
    return this.parts.some((part) => (part instanceof Row ? !part.field.trim() : part.unnamed))
  }

  node(): Node {
    const parts = this.parts.map((one) => one.node())
    const joined: Node = this.joint === 'all' || this.joint === 'not_all' ? { all: parts } : { any: parts }
    return this.joint === 'none' || this.joint === 'not_all' ? { not: joined } : joined
  }
}

export type Part = Row | Group

function partOf(node: Node): Part {
  if ('all' in node) return Group.of('all', node.all.map(partOf))
  if ('any' in node) return Group.of('any', node.any.map(partOf))
  if (!('not' in node)) return Row.of(node)
  const { not } = node
  if ('all' in not) return Group.of('not_all', not.all.map(partOf))
  if ('any' in not) return Group.of('none', not.any.map(partOf))
  return Group.of('none', [partOf(not)])
}

/** The group to edit; of a single comparison, one with that alone. */
export function draftOf(conditions: Conditions): Group {
  const part = partOf(conditions)
  return part instanceof Group ? part : Group.of('all', [part])
}

/** Where each row and group stands in the JSON form, by its key: `all[1].not.any[0]`. */
export function placesOf(group: Group, place = ''): Map<number, string> {
  const inner = `${place}${place ? '.' : ''}${{ all: 'all', any: 'any', none: 'not.any', not_all: 'not.all' }[group.joint]}`
  const found = new Map([[group.key, place]])
  for (const [at, part] of group.parts.entries()) {
    if (part instanceof Row) found.set(part.key, `${inner}[${at}]`)
    else for (const [key, where] of placesOf(part, `${inner}[${at}]`)) found.set(key, where)
  }
  return found
}
