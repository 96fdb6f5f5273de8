import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { namesDraft, namesFrom } from '../src/lib/names'
import type { Trigger } from '../src/lib/api'
import { appliedInWords, bodyFrom, draftFrom, emptyTrigger, faultsOf, firingReason, spanOf, stillWrong, whyNotTold } from '../src/lib/trigger'
import { exampleOf, isPlain, pathFault, rowsFrom, schemaFrom } from '../src/lib/variable-rows'
import { keyFields, variablesOf } from '../src/lib/variables'
import { actionId, draftFrom as wordsDraft, emptyWords, faultIn, wordsFrom } from '../src/lib/words'
import { Problem } from '../src/lib/http'

const SCHEMA = {
  properties: {
    conversation: { type: 'object', properties: { id: { type: 'string' }, tags: { type: 'array' } } },
    bot: { type: 'object', properties: { name: { type: 'string', description: 'Its name' } } },
    urgent: { type: ['boolean', 'null'] },
  },
}

const source = (path: string) => readFileSync(new URL(`../../src/tidings/${path}`, import.meta.url), 'utf8')

function kept(of: Partial<Trigger>): Trigger {
  return {
    ...bodyFrom({ ...emptyTrigger('a.b'), name: 'T' }), id: 'trg_1', conditions: null, conditions_text: null, audience: { users: 'event' }, audience_text: { users: 'event', except_actor: true },
    activity: { fired: 0, suppressed: 0, waiting: 0, last_fired_at: null }, created_at: '', updated_at: '', template: { ...wordsFrom(emptyWords()), title: 'Hello' }, ...of,
  } as Trigger
}

describe('variables', () => {
  it('lists every value that can be written, within objects too', () => {
    expect(variablesOf(SCHEMA).map(({ path, kind }) => `${path}: ${kind}`)).toEqual(['conversation.id: string', 'conversation.tags: array', 'bot.name: string', 'urgent: boolean'])
  })

  it('makes keys of single values only, as conditions call them', () => {
    expect(keyFields(SCHEMA)).toEqual(['event.conversation.id', 'event.bot.name', 'event.urgent', 'actor.id'])
  })

  it('edits as rows what rows can say, and says of the rest that it cannot', () => {
    const plain = { properties: { bot: { type: 'object', properties: { name: { type: 'string', description: 'Its name' } } }, n: { type: 'integer' } } }
    expect(isPlain(plain)).toBe(true)
    expect(schemaFrom(rowsFrom(plain))).toEqual(plain)
    expect(isPlain({ properties: { n: { type: 'integer', minimum: 3 } } } as never)).toBe(false)
    expect(isPlain({ properties: { n: { type: 'integer' } }, required: ['n'] })).toBe(false)
    expect(isPlain({})).toBe(true)
  })

  it('refuses two rows of one name, and a value that is an object too', () => {
    const row = (path: string) => ({ path, kind: 'string', about: '' })
    expect(pathFault([row('bot'), row('bot.name')], 0)).toContain('Another row')
    expect(pathFault([row('bot.name'), row('bot.id')], 0)).toBeUndefined()
    expect(pathFault([row('bot name')], 0)).toContain('dot')
  })

  it('makes an example that has a value for each', () => {
    expect(exampleOf({ properties: { bot: { type: 'object', properties: { name: { type: 'string' } } }, n: { type: 'integer' } } })).toEqual({ bot: { name: 'name' }, n: 1 })
  })

  it('make an example with whole addresses', () => {
    const schema = { properties: { order: { type: 'object', properties: { url: { type: 'string' }, imageUrl: {}, link: { type: ['string', 'null'] }, urls: { type: 'array' } } }, page: { type: 'string', format: 'uri' }, linked: { type: 'boolean' } } }
    const address = 'https://www.example.com/'
    expect(exampleOf(schema)).toEqual({ order: { url: address, imageUrl: address, link: address, urls: [] }, page: address, linked: true })
  })
})

describe('words', () => {
  it('come back as they were, with what the form does not show', () => {
    const body = {
      language: 'en', title: 'A', body: 'B', url: null, icon: null, image: null, badge_count: 3, actions: [{ id: 'yes', title: 'Yes', url: null }], ttl: 300, urgency: 'high' as const, collapse_id: null,
      data: { n: 1 }, locales: { de: { title: 'Ä', body: null, url: null, actions: { yes: 'Ja' } } }, platforms: { android: { channel_id: 'x' } },
    }
    expect(wordsFrom(wordsDraft(body))).toEqual(body)
  })

  it('give a button without an id one of its own, and its translation with it', () => {
    const draft = { ...emptyWords(), title: 'A', actions: [{ id: '', title: 'I take it', url: '' }], locales: [{ tag: 'de', title: '', body: '', url: '', actions: { '0': 'Ich mache es' } }] }
    const body = wordsFrom(draft)
    expect(body.actions).toEqual([{ id: 'i-take-it', title: 'I take it', url: null }])
    expect(body.locales.de!.actions).toEqual({ 'i-take-it': 'Ich mache es' })
    expect(actionId('Ja!', ['ja'], 'button-2')).toBe('ja-2')
    expect(actionId('{{ x }}', [], 'button-2')).toBe('button-2')
  })

  it('find the fault of a field, or of something within it', () => {
    const problem = new Problem({ code: 'x', status: 422, title: 'x', faults: [{ field: 'template.locales.de.title', message: 'no' }, { field: 'conditions', message: 'hm' }] })
    expect(faultIn(problem, 'template.locales')).toBe('no')
    expect(faultIn(problem, 'cond')).toBeUndefined()
  })
})

describe('triggers', () => {
  it.each<[string, Partial<Trigger>]>([
    ['a throttle for ever', { throttle: { key: ['event.a'], count: 1, window: null } }],
    ['a throttle in a window', { throttle: { key: [], count: 3, window: 7200 } }],
    ['a delay that something takes back', { delay: 300, unless: { event_type: 'a.c', key: ['event.a'] } }],
    ['a digest', { digest: { window: 3600, key: ['event.topic.id'] } }],
    ['channels', { channels: ['webpush', 'feed'] }],
    ['a template', { template: 'tpl_1' }],
    ['several rules', { audience_text: { union: [{ users: 'event' }, { followers: 'a:{{b}}' }, { everyone: true }], except_actor: false } }],
    ['conditions', { conditions_text: 'event.a == 1' }],
    ['urgency and time to live', { urgency: 'high', ttl: 120 }],
  ])('come back as they were: %s', (_, of) => {
    const one = kept(of)
    const { id, activity, created_at, updated_at, conditions_text, audience_text, ...body } = one
    expect(bodyFrom(draftFrom(one))).toEqual({ ...body, conditions: conditions_text, audience: audience_text })
  })

  it('say what is missing before the server is asked', () => {
    const draft = emptyTrigger()
    draft.parts.push({ kind: 'users_where', text: ' ' })
    expect(Object.keys(faultsOf(draft)).sort()).toEqual(['event_type', 'name', 'parts', 'title'])
    expect(faultsOf({ ...draft, saying: 'template' }).template).toBeTruthy()
  })

  it('name a length in the largest unit in which it is whole', () => {
    expect([spanOf(90), spanOf(600), spanOf(7200), spanOf(86_400)]).toEqual([{ n: 90, unit: 1 }, { n: 10, unit: 60 }, { n: 2, unit: 3600 }, { n: 1, unit: 86_400 }])
  })

  it('have words for every reason that the server gives', () => {
    const enumOf = (text: string, name: string) => [...new RegExp(`class ${name}\\(StrEnum\\):[\\s\\S]*?\\n\\n\\n`).exec(text)![0].matchAll(/^ {4}[A-Z_]+ = "([a-z_]+)"/gm)].map((found) => found[1]!)
    const reasons = enumOf(source('domain/trigger.py'), 'FiringReason')
    expect(reasons.length).toBeGreaterThan(5)
    for (const reason of reasons) expect(firingReason({ reason, outcome: 'suppressed' }), reason).not.toBe(reason.replaceAll('_', ' '))
    for (const why of enumOf(source('services/fates.py'), 'WhyNot')) expect(whyNotTold(why), why).not.toBe(why.replaceAll('_', ' '))
  })
})

describe('a refused trigger', () => {
  const refused = (...fields: string[]) => new Problem({ code: 'trigger_invalid', status: 422, title: 'The trigger is not valid', detail: 'All of it.', faults: fields.map((field) => ({ field, message: `Mend ${field}.` })) })
  const sent = () => ({ ...emptyTrigger('a.b'), name: 'T', conditions: 'x', parts: [{ kind: 'users' as const, text: '' }, { kind: 'followers' as const, text: 'y' }], words: { ...emptyWords(), title: 'Hello' } })

  it('is wrong no more where it was changed', () => {
    const problem = refused('conditions', 'template.ContentBody.title', 'audience.union.1.followers')
    expect(stillWrong(problem, bodyFrom(sent()), bodyFrom(sent()))).toBe(problem)
    const now = { ...sent(), conditions: 'z', words: { ...emptyWords(), title: 'Hello', body: 'changed' } }
    const left = stillWrong(problem, bodyFrom(sent()), bodyFrom(now))
    expect(left?.faults.map(({ field }) => field)).toEqual(['template.ContentBody.title', 'audience.union.1.followers'])
    expect(left?.detail).toBe('Mend template.ContentBody.title. Mend audience.union.1.followers.')
  })

  it('is valid as far as anybody knows once all of it was changed, and a failure stays', () => {
    const now = { ...sent(), words: { ...emptyWords(), title: 'Good day' } }
    expect(stillWrong(refused('template.title'), bodyFrom(sent()), bodyFrom(now))).toBeUndefined()
    const failed = new Problem({ code: 'unreachable', status: 0, title: 'The server does not answer' })
    expect(stillWrong(failed, bodyFrom(sent()), bodyFrom(now))).toBe(failed)
  })
})

describe('a preset', () => {
  it('says what it made', () => {
    const part = (kind: 'event_type' | 'trigger', outcome: 'made' | 'there') => ({ kind, outcome, id: '', name: '' })
    expect(appliedInWords('Live chat', { parts: [part('event_type', 'made'), part('event_type', 'made'), part('trigger', 'made')] })).toMatch(/^Live chat is applied\. Made: 2.event types, 1.trigger\.$/)
    expect(appliedInWords('Live chat', { parts: [part('trigger', 'there')] })).toBe('Everything of Live chat is there already; nothing was changed.')
  })
})

describe('the names of an event type', () => {
  it('come back from the form as they were, and what is empty is as in the own words', () => {
    const kept = { language: 'en', name: 'Replies', description: '', category: 'Discussions', locales: { de: { name: 'Antworten', description: null, category: 'Diskussionen' } } }
    const draft = namesDraft(kept)
    expect(namesFrom(draft)).toEqual(kept)
    draft.locales[0]!.category = '  '
    draft.locales.push({ tag: 'fr', name: ' Réponses ', description: '', category: '' })
    expect(namesFrom(draft).locales).toEqual({
      de: { name: 'Antworten', description: null, category: null },
      fr: { name: 'Réponses', description: null, category: null },
    })
  })
})
