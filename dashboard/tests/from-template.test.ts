import { describe, expect, it } from 'vitest'

import type { Preview, Shown, Template } from '../src/lib/api'
import { draftOf, gapsOf, leftOut, readersGaps, typedFrom, valueAt, variablesFrom } from '../src/lib/from-template'
import { emptyWords, wordsFrom } from '../src/lib/words'

const template = (of: Partial<Template>): Template => ({
  ...wordsFrom(emptyWords()), title: 'Hello', id: 'tpl_1', name: 'Greeting', event_type: null, version: 3, created_at: '', updated_at: '', ...of,
})
const shown = (of: Partial<Shown>): Shown => ({ language: 'en', title: 'Hello', body: null, url: null, icon: null, image: null, actions: [], error: null, warnings: [], ...of })
const preview = (...languages: Shown[]): Preview => ({ variables: {}, languages })

describe('gaps', () => {
  it('are found wherever Liquid stands, once each', () => {
    const of = template({
      title: '{{ ferry.name | default: "the ferry" }} is late', body: '{%- if minutes > 60 and ferry.name contains "S" -%}long{% endif %}', url: 'https://example.com/{{pier.id}}',
      actions: [{ id: 'a', title: 'See {{ ferry.name }}', url: null }], locales: { de: { title: '{{ ferry.german }}' } },
    })
    expect(gapsOf(of)).toEqual(['ferry.name', 'minutes', 'pier.id', 'ferry.german'])
  })

  it('are not what Liquid or Tidings fills by itself', () => {
    const of = template({ title: '{{ user.name }}: {{ app.name }} {{ digest.count }}', body: '{% for one in boats %}{{ one.name }}{{ forloop.index }}{% endfor %}{% assign n = boats.size %}{{ n }}' })
    expect(gapsOf(of)).toEqual(['boats'])
    expect(readersGaps(of)).toEqual(['user.name', 'digest.count'])
  })
})

describe('variables', () => {
  it('are of the kind that the example has', () => {
    const example = { ferry: { name: 'S', seats: 4 }, boats: ['a'], late: true }
    expect(variablesFrom(example, { 'ferry.name': '7', 'ferry.seats': '5', boats: '["b"]', late: 'false', 'pier.id': '3' })).toEqual({ ferry: { name: '7', seats: 5 }, boats: ['b'], late: false, pier: { id: '3' } })
    expect(variablesFrom(example, { 'ferry.seats': 'many', 'ferry.name': '' }).ferry).toEqual({ seats: 'many' })
    expect(example.ferry).toEqual({ name: 'S', seats: 4 })
    expect(typedFrom(valueAt(example, 'boats'))).toBe('["a"]')
    expect(typedFrom(valueAt(example, 'pier.id'))).toBe('')
  })
})

describe('the draft', () => {
  it('says what the template said, and in other languages only what differs', () => {
    const of = draftOf(
      template({ ttl: 300, collapse_id: 'ferry' }),
      preview(shown({ language: 'de', title: 'Hallo', body: 'B', actions: [{ id: 'a', title: 'Ja' }] }), shown({ body: 'B', url: 'https://example.com', actions: [{ id: 'a', title: 'Yes', url: null }] }), shown({ language: 'fr', body: 'B', url: 'https://example.com/fr', actions: [{ id: 'a', title: 'Yes' }] })),
    )
    expect(of).toMatchObject({ title: 'Hello', body: 'B', url: 'https://example.com', ttl: 300, collapseId: 'ferry', asks: 'question', actions: [{ title: 'Yes', url: '' }], template: { id: 'tpl_1', name: 'Greeting', version: 3 } })
    expect(of.locales).toEqual([
      { tag: 'de', title: 'Hallo', body: '', url: '', actions: { 0: 'Ja' } },
      { tag: 'fr', title: 'Hello', body: '', url: 'https://example.com/fr', actions: {} },
    ])
  })

  it('names what it cannot hold', () => {
    expect(leftOut(template({}))).toEqual([])
    expect(leftOut(template({ collapse_id: 'f-{{ ferry.id }}', data: { a: 1 }, badge_count: 0, platforms: { apns: { sound: 'x' }, fcm: null } }))).toEqual(['collapse_id', 'data', 'badge_count', 'platforms'])
    expect(leftOut(template({ collapse_id: 'plain', platforms: { apns: { sound: null } } }))).toEqual([])
  })
})
