import { describe, expect, it } from 'vitest'

import { audienceFrom, bytesOf, contentFrom, EMPTY_CHOICE, EMPTY_DRAFT, faultsOf, idempotencyKey, onlyHere, saidIn, sizeFault } from '../src/lib/message'

const draft = (of: Partial<typeof EMPTY_DRAFT>) => ({ ...EMPTY_DRAFT, title: 'Hello', ...of })

describe('faultsOf', () => {
  it('wants a title and nothing else', () => {
    expect(faultsOf(draft({}))).toEqual({})
    expect(Object.keys(faultsOf(draft({ title: '  ' })))).toEqual(['title'])
  })

  it('takes pages and pictures of this machine, and says who can load them', () => {
    const local = 'http://localhost:8080/x'
    for (const field of ['url', 'icon', 'image'] as const) expect(faultsOf(draft({ [field]: local }))).toEqual({})
    for (const field of ['icon', 'image'] as const) expect(faultsOf(draft({ [field]: 'http://example.com/x' }))[field]).toContain('Pictures')
    expect(onlyHere(local)).toBe(true)
    expect(onlyHere('https://example.com')).toBe(false)
  })

  it.each(['https://example.com/a?b=c', 'http://localhost:8080/', ' https://example.com ', ''])('takes the address %j', (url) => {
    expect(faultsOf(draft({ url })).url).toBeUndefined()
  })

  it.each(['http://example.com', 'example.com', 'javascript:alert(1)', 'data:text/html,x', '//example.com'])('refuses the address %j', (url) => {
    expect(faultsOf(draft({ url })).url).toBeTypeOf('string')
  })

  it('says how long a message is that is too long', () => {
    expect(faultsOf(draft({ body: 'x'.repeat(2001) })).body).toContain('2001')
  })
})

describe('audienceFrom', () => {
  it('is nothing until it is complete', () => {
    expect(audienceFrom(EMPTY_CHOICE)).toEqual({ all: true })
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'user' })).toBeUndefined()
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'user', users: ['u-42', 'u-43'] })).toEqual({ users: ['u-42', 'u-43'] })
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'segment' })).toBeUndefined()
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'segment', segment: 'seg_1' })).toEqual({ segment: 'seg_1' })
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'tag', tagName: 'plan' })).toBeUndefined()
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'tag', tagName: 'plan', tagValue: 'pro' })).toEqual({ tags: { plan: 'pro' } })
  })
})

describe('contentFrom', () => {
  it('sends only what was filled in', () => {
    expect(contentFrom(draft({ url: ' https://example.com ' }))).toEqual({ title: 'Hello', url: 'https://example.com', ttl: 86_400, urgency: 'normal' })
  })
})

describe('bytesOf', () => {
  it('counts bytes and not characters', () => {
    expect(bytesOf(draft({ body: '€' })) - bytesOf(draft({ body: 'e' }))).toBe(2)
  })

  it('counts the payload as the server writes it', () => {
    const written = `{"web_push":8030,"notification":{"title":"Hello","body":"World","navigate":"https://example.com/"},"tidings":{}}`
    const ids = `,"tag":"${'0'.repeat(32)}"` + `"d":"${'0'.repeat(32)}","t":"${'0'.repeat(16)}"`
    expect(bytesOf(draft({ body: 'World', url: 'https://example.com/' }))).toBe(written.length + ids.length)
  })
})

describe('sizeFault', () => {
  it('names who cannot take it', () => {
    expect(sizeFault(2700)).toBeUndefined()
    expect(sizeFault(2701)).toContain('Firefox')
    expect(sizeFault(3994)).toContain('every browser')
  })
})

describe('idempotencyKey', () => {
  it('is 32 hex characters of what chance gave', () => {
    expect(idempotencyKey((into) => into.fill(0xab))).toBe('ab'.repeat(16))
  })
})

describe('buttons and questions', () => {
  const question = draft({ title: 'Was it on time?', asks: 'question', actions: [{ title: 'Yes', url: '' }, { title: 'No', url: '' }] })

  it('are sent with ids of their words, and only if they are asked for', () => {
    expect(contentFrom(question).actions).toEqual([{ id: 'yes', title: 'Yes' }, { id: 'no', title: 'No' }])
    expect(contentFrom({ ...question, asks: 'none' }).actions).toBeUndefined()
    const links = draft({ asks: 'links', actions: [{ title: 'Read', url: ' https://example.com/a ' }, { title: 'はい', url: 'https://example.com/b' }] })
    expect(contentFrom(links).actions).toEqual([{ id: 'read', title: 'Read', url: 'https://example.com/a' }, { id: 'button-2', title: 'はい', url: 'https://example.com/b' }])
  })

  it('want words, and a button a page', () => {
    expect(faultsOf(question)).toEqual({})
    expect(Object.keys(faultsOf({ ...question, actions: [{ title: ' ', url: '' }] }))).toEqual(['actions.0.title'])
    expect(Object.keys(faultsOf({ ...question, asks: 'links' }))).toEqual(['actions.0.url', 'actions.1.url'])
  })

  it('are counted in the bytes', () => {
    expect(bytesOf(question) - bytesOf({ ...question, asks: 'none' })).toBe('"a":[{"id":"yes","title":"Yes"},{"id":"no","title":"No"}],'.length)
  })
})

describe('languages', () => {
  const german = { tag: 'de', title: 'Hallo, ihr alle da draußen', body: '', url: '', actions: { 0: 'Ja' } }
  const both = draft({ asks: 'question', actions: [{ title: 'Yes', url: '' }], locales: [german] })

  it('are sent with what is written in them', () => {
    expect(contentFrom(both).locales).toEqual({ de: { title: german.title, actions: { yes: 'Ja' } } })
    expect(Object.keys(faultsOf({ ...both, locales: [{ ...german, title: '' }] }))).toEqual(['locales.de.title'])
  })

  it('are read in place of the others, and the longest is measured', () => {
    expect(saidIn(both, 'de')).toMatchObject({ title: german.title, actions: [{ title: 'Ja' }], asks: true })
    expect(saidIn({ ...both, url: 'https://example.com' }, '')).toMatchObject({ title: 'Hello', actions: [{ title: 'Yes' }], asks: false })
    expect(bytesOf(both)).toBeGreaterThan(bytesOf({ ...both, locales: [] }))
  })
})
