import { describe, expect, it } from 'vitest'

import { audienceFrom, bytesOf, contentFrom, EMPTY_CHOICE, EMPTY_DRAFT, faultsOf, idempotencyKey, sizeFault } from '../src/lib/message'

const draft = (of: Partial<typeof EMPTY_DRAFT>) => ({ ...EMPTY_DRAFT, title: 'Hello', ...of })

describe('faultsOf', () => {
  it('wants a title and nothing else', () => {
    expect(faultsOf(draft({}))).toEqual({})
    expect(Object.keys(faultsOf(draft({ title: '  ' })))).toEqual(['title'])
  })

  it('takes a page of this machine, and no picture of it', () => {
    const local = 'http://localhost:8080/x'
    expect(faultsOf(draft({ url: local }))).toEqual({})
    for (const field of ['icon', 'image'] as const) expect(faultsOf(draft({ [field]: local }))[field]).toContain('Pictures')
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
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'user', user: ' ' })).toBeUndefined()
    expect(audienceFrom({ ...EMPTY_CHOICE, kind: 'user', user: ' u-42 ' })).toEqual({ users: ['u-42'] })
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
