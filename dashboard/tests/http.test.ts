import { afterEach, describe, expect, it, vi } from 'vitest'

import { address, asProblem, call, fetchFile, Problem, problemFrom, sayIn, whenSignedOut, whenUnconfirmed } from '../src/lib/http'

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
    answering(403, '{"code":"confirmation_wrong"}')
    await problemOf(call('/me/password'))
    answering(401, '{"code":"second_factor_wrong"}')
    await problemOf(call('/session/second-factor'))
    expect(ended).toHaveBeenCalledOnce()
  })
})

describe('a session that ends while somebody writes', () => {
  const ENDED = () => new Response('{"code":"unauthorized"}', { status: 401 })
  const back = (same: boolean) => whenSignedOut(() => Promise.resolve(same))

  afterEach(() => whenSignedOut(() => {}))

  it('reads again what was asked for meanwhile', async () => {
    back(true)
    const fetched = vi.fn<() => Promise<Response>>().mockResolvedValueOnce(ENDED()).mockResolvedValueOnce(new Response('{"a":1}'))
    vi.stubGlobal('fetch', fetched)
    expect(await call('/x')).toEqual({ a: 1 })
  })

  it('changes nothing by itself, and says that it was not changed', async () => {
    back(true)
    const fetched = vi.fn(async () => ENDED())
    vi.stubGlobal('fetch', fetched)
    expect((await problemOf(call('/x', { method: 'POST', body: {} }))).code).toBe('session_ended')
    expect(fetched).toHaveBeenCalledOnce()
  })

  it('gives nothing to somebody else', async () => {
    back(false)
    vi.stubGlobal('fetch', async () => ENDED())
    expect((await problemOf(call('/x'))).status).toBe(401)
  })
})

describe('recent authentication', () => {
  const WANTED = JSON.stringify({ code: 'reauthentication_required', title: 'T' })

  /** A server that wants a confirmation until `confirmed` says otherwise. */
  function wanting(confirmed: () => boolean) {
    const fetched = vi.fn(async () => (confirmed() ? new Response('{"done":true}') : new Response(WANTED, { status: 403 })))
    vi.stubGlobal('fetch', fetched)
    return fetched
  }

  it('is asked for once, and the same request is repeated', async () => {
    let confirmed = false
    const fetched = wanting(() => confirmed)
    whenUnconfirmed(async () => (confirmed = true))
    expect(await call('/keys', { method: 'POST', body: { name: 'x' } })).toEqual({ done: true })
    const calls = fetched.mock.calls as unknown as [string, RequestInit][]
    expect(calls).toHaveLength(2)
    expect(calls[1]).toEqual(calls[0])
  })

  it('changes nothing when somebody would not confirm', async () => {
    const fetched = wanting(() => false)
    whenUnconfirmed(async () => false)
    expect((await problemOf(call('/keys', { method: 'POST' }))).code).toBe('not_confirmed')
    expect(fetched).toHaveBeenCalledOnce()
  })

  it('is not asked for again and again', async () => {
    const fetched = wanting(() => false)
    whenUnconfirmed(async () => true)
    expect((await problemOf(call('/keys', { method: 'POST' }))).code).toBe('reauthentication_required')
    expect(fetched).toHaveBeenCalledTimes(2)
  })
})

describe('fetchFile', () => {
  it('gives the file with the name that the server gives it', async () => {
    vi.stubGlobal('fetch', async () => new Response('at,actor\n', { headers: { 'content-disposition': 'attachment; filename="audit.csv"', 'content-type': 'text/csv' } }))
    const { name, blob } = await fetchFile('/audit/export', { format: 'csv' })
    expect([name, blob.type, await blob.text()]).toEqual(['audit.csv', 'text/csv', 'at,actor\n'])
  })
})

describe('problems', () => {
  it('say how long to wait', () => {
    expect(problemFrom(429, { code: 'locked_out' }, '287').after).toBe(287)
    expect(problemFrom(429, {}, 'Fri, 01 Jan 2027 00:00:00 GMT').after).toBeUndefined()
  })

  it('do not say the same thing twice', () => {
    expect(problemFrom(404, { title: 'There is nothing here', detail: 'There is nothing here' }).detail).toBe('')
  })

  it('make a bug readable', () => {
    expect(asProblem(new Error('x is undefined')).detail).toContain('x is undefined')
  })
})

describe('what the server refuses with, in another language', () => {
  afterEach(() => sayIn({}))

  it('is said in it, but for the particulars, and as the server says it where there is no translation', () => {
    const refused = { code: 'key_expired', title: 'The key has expired', detail: 'On 3 May.', mend: 'Make a new one.' }
    sayIn({ key_expired: ['Der Schlüssel ist abgelaufen', 'Machen Sie einen neuen.'] })
    expect(problemFrom(401, refused)).toMatchObject({ title: 'Der Schlüssel ist abgelaufen', detail: 'On 3 May.', mend: 'Machen Sie einen neuen.' })
    expect(problemFrom(401, { ...refused, detail: refused.title }).detail).toBe('')
    expect(problemFrom(401, { ...refused, code: 'constructor' })).toMatchObject({ title: refused.title, mend: refused.mend })
  })
})
