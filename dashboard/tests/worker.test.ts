import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { LANGUAGE_NAMES } from '../src/lib/language'

const script = readFileSync(new URL('../public/worker.js', import.meta.url), 'utf8')

type Listener = (event: { request: { mode: string; url: string }; preloadResponse: unknown; respondWith: (answer: Promise<Response>) => void }) => void

/** What the worker answers to somebody who opens a page; undefined where it leaves it to the browser. */
async function opening(fetched: () => Promise<Response>, { search = '', onLine = true, mode = 'navigate' } = {}): Promise<Response | undefined> {
  const listeners: Record<string, Listener> = {}
  const scope = { location: { search, host: 'push.example.com' } }
  new Function('self', 'navigator', 'addEventListener', 'fetch', script)(scope, { onLine }, (name: string, to: Listener) => (listeners[name] = to), fetched)
  let answer: Promise<Response> | undefined
  listeners.fetch!({ request: { mode, url: '/' }, preloadResponse: Promise.resolve(undefined), respondWith: (given) => (answer = given) })
  return answer
}

const lost = () => Promise.reject(new TypeError('Failed to fetch'))

test('a page that comes is given as it is', async () => {
  const answer = await opening(async () => new Response('here', { status: 404 }))
  expect([answer!.status, await answer!.text()]).toEqual([404, 'here'])
})

test.each([lost, async () => new Response('', { status: 502 })])('where nobody answers it says so, and leads back', async (fetched) => {
  const answer = (await opening(fetched))!
  const text = await answer.text()
  expect(answer.status).toBe(503)
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(text).toContain('push.example.com')
  expect(text).toContain('<a href="">Try again</a>')
})

test('a device without a connection is told so', async () => {
  expect(await (await opening(lost, { onLine: false }))!.text()).toContain('This device is offline.')
})

test('it speaks every language of the pages', async () => {
  const titles = Object.keys(LANGUAGE_NAMES).map(async (language) => {
    const text = await (await opening(lost, { search: `?${language}` }))!.text()
    expect(text).toContain(`<html lang="${language}">`)
    expect(text).not.toContain('undefined')
    return /<h1>(.*?)<\/h1>/.exec(text)![1]
  })
  expect(new Set(await Promise.all(titles)).size).toBe(titles.length)
})

test('an unknown language is English, and what is no page is left alone', async () => {
  expect(await (await opening(lost, { search: '?toString' }))!.text()).toContain('<html lang="en">')
  expect(await opening(lost, { mode: 'cors' })).toBeUndefined()
})

test('it deletes for a page that is left, and nothing that is not of the API', async () => {
  const listeners: Record<string, (event: { data: unknown; waitUntil: (work: Promise<unknown>) => void }) => void> = {}
  const asked: [string, string | undefined][] = []
  const fetched = async (url: string, init: RequestInit) => { asked.push([url, init.method]) }
  new Function('self', 'navigator', 'addEventListener', 'fetch', script)({ location: { search: '' } }, {}, (name: string, to: never) => (listeners[name] = to), fetched)
  const waited: Promise<unknown>[] = []
  for (const data of [{ remove: '/api/v1/webhooks/whk_1' }, { remove: 'https://elsewhere.example/api/' }, { remove: 1 }, null, 'x']) listeners.message!({ data, waitUntil: (work) => waited.push(work) })
  await Promise.all(waited)
  expect(asked).toEqual([['/api/v1/webhooks/whk_1', 'DELETE']])
})
