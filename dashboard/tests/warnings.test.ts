import { describe, expect, it } from 'vitest'

import { type Draft, EMPTY_DRAFT } from '../src/lib/message'
import { warningsOf } from '../src/lib/warnings'

const NOW = Date.parse('2027-01-01T12:00:00Z')
const GOOD = { title: 'Late', body: 'By an hour', url: 'https://www.example.com/a', icon: 'https://www.example.com/i.png' }
const about = (of: Partial<Draft>, more: Partial<Parameters<typeof warningsOf>[1]> = {}) =>
  warningsOf({ ...structuredClone(EMPTY_DRAFT), ...GOOD, ...of }, { origins: ['https://www.example.com'], webPush: true, past: [], now: NOW, ...more })
const ids = (...of: Parameters<typeof about>) => about(...of).map(({ id }) => id)

describe('warnings', () => {
  it('are none where there is nothing to mend, or nothing written yet', () => {
    expect(ids({})).toEqual([])
    expect(ids({ title: ' ', url: '', icon: '' })).toEqual([])
  })

  it('name what is missing; a question needs no page', () => {
    expect(ids({ url: '', icon: ' ' })).toEqual(['no_url', 'no_icon'])
    expect(ids({ url: '', asks: 'question', actions: [{ title: 'Yes', url: '' }] })).toEqual([])
  })

  it('name hosts that are none of the App’s sites, wherever they stand', () => {
    const locales = [{ tag: 'de', title: 'Spät', body: '', url: 'https://de.example.org', actions: {} }]
    const [one] = about({ url: 'https://exmaple.com/a', locales, asks: 'links', actions: [{ title: 'See', url: 'https://www.example.com/b' }] })
    expect(one).toMatchObject({ id: 'other_host', text: expect.stringContaining('exmaple.com, de.example.org,') })
    expect(ids({ url: 'https://exmaple.com/a' }, { origins: [] })).toEqual([])
    expect(ids({ url: 'https://' })).toEqual([])
  })

  it('say which systems may cut a text, also in another language', () => {
    expect(about({ title: 'x'.repeat(41) })[0]).toMatchObject({ id: 'title_cut', text: expect.stringContaining('Android, macOS:') })
    expect(about({ title: 'x'.repeat(81) })[0]?.text).toContain('Android, Windows, macOS, iPhone')
    expect(ids({ locales: [{ tag: 'de', title: '', body: 'x'.repeat(91), url: '', actions: {} }] })).toEqual(['body_cut'])
    expect(ids({ title: '⛴'.repeat(40) })).toEqual([])
  })

  it('find the same words of the last hour', () => {
    const past = (created_at: string, of = {}) => ({ past: [{ id: 'ntf_1', title: 'Late', body: 'By an hour', created_at, to: { all: true }, ...of }] })
    expect(about({}, past('2027-01-01T11:01:00Z'))[0]).toMatchObject({ id: 'same_again', way: { href: '/notifications/ntf_1' } })
    expect(ids({}, past('2027-01-01T10:59:00Z'))).toEqual([])
    expect(ids({}, past('2027-01-01T11:30:00Z', { body: 'By two' }))).toEqual([])
    expect(ids({}, past('2027-01-01T11:30:00Z', { to: { subscriptions: ['sub_1'] } }))).toEqual([])
  })

  it('say that Web Push is off, and where it is turned on', () => {
    expect(about({}, { webPush: false })[0]).toMatchObject({ id: 'web_push_off', way: { href: '/settings/push-notifications' } })
  })
})
