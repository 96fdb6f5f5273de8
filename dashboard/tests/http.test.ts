import { afterEach, describe, expect, it, vi } from 'vitest'

import { address, asProblem, call, Problem, problemFrom, whenSignedOut } from '../src/lib/http'

function answering(status: number, body: string | null, type = 'application/problem+json') {
  const fetched = vi.fn(async () => new Response(body, { status, headers: { 'content-type': type } }))
  vi.stubGlobal('fetch', fetched)
  return fetched
}

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (reason: unknown) => {
      expect(reason).toBeInstanceOf(Problem)
      return reason as Problem
    },
  )
}

afterEach(() => vi.unstubAllGlobals())

describe('address', () => {
  it('leaves out what is empty and quotes the rest', () => {
    expect(address('/subscriptions', { status: '', cursor: undefined, limit: 50, q: 'a b&c' })).toBe('/api/v1/subscriptions?limit=50&q=a+b%26c')
  })
})

describe('call', () => {
  it('gives the JSON of an answer, and nothing for none', async () => {
    answering(200, '{"a":1}')
    expect(await call('/x')).toEqual({ a: 1 })
    answering(204, null)
    expect(await call('/x', { method: 'DELETE' })).toBeUndefined()
  })

  it('reads the catalogue’s words out of a refusal', async () => {
    answering(422, JSON.stringify({ type: '/docs/errors#contact_invalid', code: 'contact_invalid', title: 'T', detail: 'D', mend: 'M', status: 422, errors: [{ field: 'subject', message: 'no' }] }))
    const problem = await problemOf(call('/x', { method: 'POST', body: {} }))
    expect([problem.code, problem.title, problem.detail, problem.mend, problem.link, problem.fault('subject')]).toEqual(['contact_invalid', 'T', 'D', 'M', '/docs/errors#contact_invalid', 'no'])
  })

  it('does not choke on a proxy’s page', async () => {
    answering(502, '<html>Bad gateway</html>', 'text/html')
    const problem = await problemOf(call('/x'))
    expect([problem.code, problem.title]).toEqual(['http_502', 'The server failed'])
  })

  it('says so when nothing answers', async () => {
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('Failed to fetch')))
    expect((await problemOf(call('/x'))).code).toBe('unreachable')
  })

  it('tells of a session that ended, but not when asking for it', async () => {
    const ended = vi.fn()
    whenSignedOut(ended)
    answering(401, '{}')
    await problemOf(call('/session'))
    expect(ended).not.toHaveBeenCalled()
    await problemOf(call('/system'))
    expect(ended).toHaveBeenCalledOnce()
  })
})

describe('problems', () => {
  it('do not say the same thing twice', () => {
    expect(problemFrom(404, { title: 'There is nothing here', detail: 'There is nothing here' }).detail).toBe('')
  })

  it('make a bug readable', () => {
    expect(asProblem(new Error('x is undefined')).detail).toContain('x is undefined')
  })
})
