import { describe, expect, it } from 'vitest'

import { isText } from '../translate/texts.mjs'
import { transform } from '../translate/transform.mjs'

const script = (text, details = {}) => isText({ msgStr: [text], details: { scope: 'script', ...details } })

/** The texts that are found in a source, and what becomes of it. */
async function read(content, filename = 'src/lib/some.ts') {
  const keys = []
  const index = { get: (key) => (keys.includes(key) ? keys.indexOf(key) : keys.push(key) - 1) }
  const { msgs, output } = await transform({ content, filename, index, expr: { plain: '_t()', reactive: '_t()' }, matchUrl: () => null })
  return { texts: msgs.map(({ msgStr }) => msgStr.join(' | ')), code: output('').code }
}

describe('what is a text', () => {
  it.each(['Saved', 'The address is not https.', 'just now', '# devices', ' and ', 'turned on two-factor'])('"%s" is one', (text) => {
    expect(script(text)).toBe('message')
  })

  it.each(['flex items-center gap-2', 'btn btn-sm', 'delivered', 'Idempotency-Key', 'NotAllowedError', 'https://example.com/a b', '{{ bot.name }} needs you', 'user.plan == "pro"', 'main input[type="search"]', 'GET', '#'])('"%s" is none', (text) => {
    expect(script(text)).toBe(false)
  })

  it('is none in attributes that hold codes, in code and in calls of the browser', () => {
    expect(script('Some words', { attribute: 'class' })).toBe(false)
    expect(isText({ msgStr: ['Some words'], details: { scope: 'markup', element: 'code' } })).toBe(false)
    expect(script('Some words', { call: 'localStorage.getItem' })).toBe(false)
  })
})

describe('what is read', () => {
  it('leaves alone what is compared and what names a property', async () => {
    const { texts } = await read(`const a = x === 'Enter now' || { 'Some key': 'A value' }['Some key']\nswitch (x) { case 'One case': f('Two cases') }`)
    expect(texts).toEqual(['A value', 'Two cases'])
  })

  it('finds what a class is made with and what is thrown', async () => {
    const { texts } = await read(`class One { name = 'A name'\n act = () => { throw new Error('It failed') } }`)
    expect(texts.sort()).toEqual(['A name', 'It failed'])
  })

  it('takes plurals as one text and fills in the rule', async () => {
    const { texts, code } = await read("const a = plural(n, ['# device', '# devices'])")
    expect(texts).toEqual(['# device | # devices'])
    expect(code).toContain('plural(n, _t().p(0), _t()._.p)')
  })

  it('takes a sentence with a link in it as one', async () => {
    const { texts } = await read('<p>Open <a href="/settings">Settings</a> now, {name}.</p>', 'src/parts/Some.svelte')
    expect(texts).toEqual(['Open <0>Settings</0> now, {0}.'])
  })
})
