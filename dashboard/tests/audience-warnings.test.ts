import { describe, expect, it } from 'vitest'

import type { ChannelFit, Outlook } from '../src/lib/api'
import { audienceWarnings } from '../src/lib/audience-warnings'
import { type Draft, EMPTY_DRAFT } from '../src/lib/message'

const SAFARI = { provider: 'webpush', service: 'https://web.push.apple.com', devices: 3 }
const CHROME = { provider: 'webpush', service: 'https://fcm.googleapis.com', devices: 5 }
const IPHONES = { provider: 'apns', service: '', devices: 2 }
const QUIET = { devices: 0, later: 0, never: 0, until: null }
const FIT: ChannelFit = { channel: 'apns', fault: '', sizes: [{ service: '', size: 5000, largest: 4096, fits: false }], unshown: [] }

const about = (of: Partial<Outlook>, draft: Partial<Draft> = {}, fits: readonly ChannelFit[] = []) =>
  audienceWarnings({ devices: 10, reached: [SAFARI, CHROME, IPHONES], obstacles: [], quiet_hours: QUIET, turned_off: 0, ...of }, { ...structuredClone(EMPTY_DRAFT), ...draft }, fits)
const obstacle = (matter: Outlook['obstacles'][number]['matter'], of = {}) => ({ matter, provider: 'apns', integration: 'int_1', label: 'Our app', reason: '', devices: 2, ...of })

describe('warnings of an audience', () => {
  it('are none where everybody gets it as it was written', () => {
    expect(about({})).toEqual([])
  })

  it('name an integration that is in the way, and where it is mended', () => {
    expect(about({ obstacles: [obstacle('integration_paused', { reason: 'bad_jwt' })] })[0]).toMatchObject({
      text: expect.stringMatching(/^APNs, Our app is paused\. 2 devices wait until it is resumed\. /), way: { href: '/settings/integrations/int_1' },
    })
    expect(about({ obstacles: [obstacle('integration_removed', { integration: null, label: '' })] })[0]).toMatchObject({
      text: 'APNs was removed from this App. 2 devices of this audience get nothing any more.', way: { label: 'Add APNs again', href: '/settings/integrations/add?provider=apns' },
    })
    expect(about({ obstacles: [obstacle('key_revoked', { devices: 1 })] })[0]?.text).toContain('1 device does not get it')
    // Of Web Push it is said once, for the App.
    expect(about({ obstacles: [obstacle('web_push_off')] })).toEqual([])
  })

  it('say of quiet hours what the engine does', () => {
    const one = (quiet: object, draft: Partial<Draft> = {}) => about({ quiet_hours: { ...QUIET, ...quiet } }, draft)
    expect(one({ devices: 4 })[0]).toMatchObject({ id: 'quiet_now', text: expect.stringContaining('only what tells of an event type waits'), way: { at: 'eventType' } })
    expect(one({ devices: 4 }, { eventType: 'a.b', urgency: 'high' })[0]?.text).toContain('urgent or mandatory')
    const mixed = one({ devices: 4, later: 3, never: 1, until: '2027-01-01T06:00:00Z' }, { eventType: 'a.b' })
    expect(mixed.map(({ id }) => id)).toEqual(['quiet_later', 'quiet_never'])
    expect(mixed[1]?.way).toMatchObject({ at: 'ttl' })
    expect(about({ quiet_hours: null })[0]?.id).toBe('quiet_unknown')
    expect(about({ turned_off: 2 })[0]?.text).toContain('2 devices do not get it: their people turned this event type off')
  })

  it('count who shows no buttons, and what a click does there', () => {
    const buttons = (of: Partial<Draft>, reached = [SAFARI, CHROME, IPHONES]) => about({ reached }, { actions: [{ title: 'Yes', url: '' }], ...of })
    expect(buttons({ asks: 'none' })).toEqual([])
    expect(buttons({ asks: 'links' }).map(({ text }) => text)).toEqual([expect.stringMatching(/^3 devices .* opens the URL alone\.$/), expect.stringContaining('2 devices show the buttons only if your app')])
    expect(buttons({ asks: 'question' }, [SAFARI])[0]?.text).toContain('opens a page that asks')
    expect(buttons({ asks: 'question' }, [CHROME])).toEqual([])
    const three = ['a', 'b', 'c'].map((title) => ({ title, url: '' }))
    expect(about({ reached: [CHROME] }, { asks: 'question', actions: three })[0]?.id).toBe('many_buttons')
  })

  it('name a push service that cannot take it only where the audience needs it', () => {
    expect(about({}, {}, [FIT])[0]?.text).toBe('It is too long for APNs. 2 devices do not get it.')
    expect(about({ reached: [CHROME] }, {}, [FIT])).toEqual([])
    expect(about({}, {}, [{ ...FIT, fault: 'title: no.', sizes: [] }])[0]?.text).toBe('title: no. 2 devices do not get it.')
  })
})
