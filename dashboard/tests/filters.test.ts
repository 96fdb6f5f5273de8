import { describe, expect, it } from 'vitest'

import { type Conditions, fieldFrom, fieldText, holdsOf, kindsFor, kindTyped, listFrom, listText, opsFor, SEGMENT_FIELDS, typed, valueFrom } from '../src/lib/filters'
import { draftOf, Group, placesOf, Row } from '../src/parts/filters/draft.svelte'

const EVERYTHING: Conditions = {
  all: [
    { field: 'user.plan', op: 'equals', value: 'pro', ignore_case: true },
    { field: ['user', 'mr. name'], op: 'starts_with', value: 'A' },
    { any: [{ field: 'user.age', op: 'at_least', value: 18 }, { field: 'user.minor', op: 'not_equals', value: true }] },
    { not: { any: [{ field: 'subscription.last_seen_at', op: 'within_last', value: '7d' }] } },
    { not: { all: [{ field: 'user.since', op: 'less', value: { time: '2026-01-01T00:00:00Z' } }, { field: 'user.app', op: 'greater', value: { version: '2.10' } }] } },
    { field: 'user.town', op: 'in', value: ['Graz', 'St. Pölten', 3, true] },
    { field: 'user.role', op: 'equals', value: { field: 'event.role' } },
    { field: 'user.topics', op: 'contains', value: 'product:22' },
    { field: 'user.left', op: 'missing' },
  ],
}

describe('a draft', () => {
  it('gives back the conditions that it was made of', () => {
    expect(draftOf(EVERYTHING).node()).toEqual(EVERYTHING)
    expect(draftOf({ v: 1, ...EVERYTHING }).node()).toEqual(EVERYTHING)
  })

  it('of a single condition is a group with that alone, and of none an empty one', () => {
    expect(draftOf({ field: 'user.plan', op: 'exists' }).node()).toEqual({ all: [{ field: 'user.plan', op: 'exists' }] })
    expect(draftOf({ all: [] }).parts).toEqual([])
  })

  it('takes what is turned round for a group of which none holds', () => {
    const draft = draftOf({ not: { field: 'user.name', op: 'starts_with', value: 'A' } })
    expect(draft.joint).toBe('none')
    expect(draft.node()).toEqual({ not: { any: [{ field: 'user.name', op: 'starts_with', value: 'A' }] } })
    expect(draftOf({ not: { not: { field: 'user.x', op: 'exists' } } }).node()).toEqual({ not: { any: [{ not: { any: [{ field: 'user.x', op: 'exists' }] } }] } })
  })

  it('knows where each of its parts stands', () => {
    const draft = draftOf(EVERYTHING)
    const places = placesOf(draft)
    const [plan, , either, none] = draft.parts as [Row, Row, Group, Group]
    expect([draft, plan, either, either.parts[1]!, none.parts[0]!].map((part) => places.get(part.key))).toEqual(['', 'all[0]', 'all[2]', 'all[2].any[1]', 'all[3].not.any[0]'])
  })

  it('leaves out what an operator has no use for', () => {
    const row = Row.of({ field: 'user.age', op: 'equals', value: 'x', ignore_case: true })
    row.op = 'exists'
    expect(row.node()).toEqual({ field: 'user.age', op: 'exists' })
    row.op = 'less'
    row.kind = 'number'
    row.text = '18'
    expect(row.node()).toEqual({ field: 'user.age', op: 'less', value: 18 })
  })

  it('takes ids for texts, also where they look like numbers', () => {
    const row = Row.of({ field: 'user.id', op: 'in', value: ['42'] })
    row.text = '42, u-7'
    expect(row.node().value).toEqual(['42', 'u-7'])
    row.field = 'user.age'
    expect(row.node().value).toEqual([42, 'u-7'])
  })

  it('is unnamed while a condition of it has no field', () => {
    const draft = Group.of('all', [Row.of({ field: 'user.plan', op: 'exists' }), Group.of('any', [new Row()])])
    expect(draft.unnamed).toBe(true)
    ;((draft.parts[1] as Group).parts[0] as Row).field = 'user.age'
    expect(draft.unnamed).toBe(false)
  })
})

describe('fields', () => {
  it.each(['user.plan', ['user', 'mr. name'], ['subscription', 'tags', 'a.b']].map((field) => [field]))('are written and read: %j', (field) => {
    expect(fieldFrom(fieldText(field))).toEqual(field)
  })

  it('with signs of their own are written in brackets', () => {
    expect(fieldText('user.first name')).toBe('user["first name"]')
    expect(fieldFrom(' user["first name"] ')).toBe('user.first name')
    expect(fieldText(['user', 'say "hi"', 'x'])).toBe('user["say \\"hi\\""].x')
  })

  it.each(['user..plan', 'user[', 'user["x', ''])('that cannot be read go to the server as they are: %j', (text) => {
    expect(fieldFrom(text)).toBe(text)
  })

  it('say what they hold', () => {
    expect(['user.topics', 'user.created_at', 'user.plan', 'subscription.tags.plan'].map((name) => holdsOf(name, SEGMENT_FIELDS))).toEqual(['topics', 'time', 'any', 'text'])
    expect(kindsFor('equals', 'any', false)).toEqual(['text', 'number', 'boolean', 'version'])
    expect(kindsFor('equals', 'any', true)).toContain('field')
    expect(kindsFor('within_last', 'any', true)).toEqual([])
    for (const holds of ['text', 'time', 'topics', 'any'] as const) expect(new Set(opsFor(holds).map(([op]) => op)).size).toBe(opsFor(holds).length)
  })
})

describe('values', () => {
  it.each([[['pro', 'team'], 'pro, team'], [['a b', 'c'], 'a b, c'], [['3', 'x'], '"3", "x"'], [[3, true, 'x, y'], '3, true, "x, y"'], [[], '']])('in a list are typed as %j', (values, text) => {
    expect(listText(values)).toBe(text)
    expect(listFrom(text)).toEqual(values)
  })

  it('in a list that is half JSON are what each of them is', () => {
    expect(listFrom('pro, 3, true')).toEqual(['pro', 3, true])
  })

  it.each(['x', 3, false, { time: '2026-01-01T00:00:00Z' }, { version: '2.0' }, { field: 'event.role' }])('are typed and read: %j', (value) => {
    const { kind, text } = typed(value)
    expect(valueFrom(kind, text)).toEqual(value)
  })

  it('that are typed are taken for what they look like', () => {
    expect(['true', ' false ', '5', '-2.50', 'pro', '', '0043', '12345678901234567890', '2.10.0', 'True'].map(kindTyped)).toEqual([
      'boolean', 'boolean', 'number', 'number', 'text', 'text', 'text', 'text', 'text', 'text',
    ])
  })

  it('that are kept as they were chosen stay so', () => {
    const kept = (value: unknown) => Row.of({ field: 'user.x', op: 'equals', value }).chosen
    expect([kept('pro'), kept(5), kept(true)]).toEqual([false, false, false])
    expect([kept('true'), kept('5'), kept({ version: '2.0' }), kept({ field: 'event.x' })]).toEqual([true, true, true, true])
  })

  it('that are no number go to the server as text, which says so', () => {
    expect(valueFrom('number', 'many')).toBe('many')
    expect(valueFrom('number', '')).toBe('')
  })
})
