/** What somebody would wish to have known of whom they send to: who gets it later, not at all, or not as it was written. */

import type { ChannelFit, Obstacle, Outlook } from './api'
import { moment, plural } from './format'
import { hrefOf, integrationName, providerName } from './integrations'
import { BUTTONS_SHOWN, type Draft } from './message'
import { explained } from './reasons'
import type { Warning } from './warnings'

/** The push service of Safari, also on iPhones: neither shows buttons. */
const SAFARI = 'https://web.push.apple.com'

function ofObstacle(one: Obstacle): Warning | undefined {
  const id = `${one.matter}-${one.integration ?? one.provider}`
  const href = hrefOf({ id: one.integration, provider: one.provider })
  if (one.matter === 'integration_paused') {
    const waiting = plural(one.devices, ['# device waits until it is resumed.', '# devices wait until it is resumed.'])
    return { id, text: `${integrationName(one)} is paused. ${waiting} ${explained(one.reason).what}.`, way: { label: 'Look at the integration', href } }
  }
  if (one.matter === 'integration_removed') {
    const name = providerName(one.provider)
    const lost = plural(one.devices, ['# device of this audience gets nothing any more.', '# devices of this audience get nothing any more.'])
    return { id, text: `${name} was removed from this App. ${lost}`, way: { label: `Add ${name} again`, href } }
  }
  if (one.matter === 'key_revoked') return { id, text: plural(one.devices, ['# device does not get it: it registered with a key that was revoked.', '# devices do not get it: they registered with a key that was revoked.']), way: { label: 'See the keys', href } }
  // That Web Push is off is said of the App, whoever the audience is.
  return undefined
}

function ofQuietHours({ quiet_hours: quiet, turned_off }: Outlook, draft: Draft): Warning[] {
  const found: Warning[] = []
  if (turned_off) found.push({ id: 'turned_off', text: plural(turned_off, ['# device does not get it: its person turned this event type off.', '# devices do not get it: their people turned this event type off.']) })
  if (!quiet) return [...found, { id: 'quiet_unknown', text: 'It may be quiet hours for some: the audience is too large to ask each.' }]
  const now = quiet.devices - quiet.later - quiet.never
  if (now && draft.eventType) found.push({ id: 'quiet_now', text: plural(now, ['# device gets it in the quiet hours of its person: it is urgent or mandatory.', '# devices get it in the quiet hours of their people: it is urgent or mandatory.']) })
  else if (now) {
    const text = plural(now, ['# device gets it in the quiet hours of its person: only what tells of an event type waits for their end.', '# devices get it in the quiet hours of their people: only what tells of an event type waits for their end.'])
    found.push({ id: 'quiet_now', text, way: { label: 'Choose an event type', at: 'eventType' } })
  }
  if (quiet.later && quiet.until) found.push({ id: 'quiet_later', text: `${plural(quiet.later, ['# device is in quiet hours and gets it later.', '# devices are in quiet hours and get it later.'])} The last gets it ${moment(quiet.until)}.` })
  if (quiet.never) found.push({ id: 'quiet_never', text: plural(quiet.never, ['# device does not get it: its quiet hours last longer than the time to live.', '# devices do not get it: their quiet hours last longer than the time to live.']), way: { label: 'Choose a longer time to live', at: 'ttl' } })
  return found
}

function ofButtons({ reached }: Outlook, draft: Draft): Warning[] {
  if (draft.asks === 'none' || !draft.actions.length) return []
  const found: Warning[] = []
  if (draft.actions.length > BUTTONS_SHOWN) found.push({ id: 'many_buttons', text: 'Browsers show the first two of the buttons and no more.' })
  const without = devicesOf(reached.filter(({ service }) => service === SAFARI))
  const asks = draft.asks === 'question' && !draft.url.trim()
  if (without && asks) found.push({ id: 'no_buttons', text: plural(without, ['# device is of Safari or an iPhone and shows no buttons: a click opens a page that asks.', '# devices are of Safari or iPhones and show no buttons: a click opens a page that asks.']) })
  else if (without) found.push({ id: 'no_buttons', text: plural(without, ['# device is of Safari or an iPhone and shows no buttons: a click opens the URL alone.', '# devices are of Safari or iPhones and show no buttons: a click opens the URL alone.']) })
  const phones = devicesOf(reached.filter(({ provider }) => provider === 'apns' || provider === 'fcm'))
  if (phones) found.push({ id: 'app_buttons', text: plural(phones, ['# device shows the buttons only if your app does so.', '# devices show the buttons only if your app does so.']) })
  return found
}

/** Ways to devices of the audience that the message is too long for; browsers are measured as one types. */
function ofSize({ reached }: Outlook, fits: readonly ChannelFit[]): Warning[] {
  return fits.filter(({ channel, fault, sizes }) => channel !== 'webpush' && (fault || sizes.some((one) => !one.fits))).flatMap(({ channel, fault }) => {
    const devices = devicesOf(reached.filter(({ provider }) => provider === channel))
    if (!devices) return []
    const lost = plural(devices, ['# device does not get it.', '# devices do not get it.'])
    return [{ id: `unfit-${channel}`, text: fault ? `${fault} ${lost}` : `It is too long for ${providerName(channel)}. ${lost}` }]
  })
}

const devicesOf = (ways: Outlook['reached']) => ways.reduce((sum, { devices }) => sum + devices, 0)

/** All there is to say of whom a draft goes to. */
export function audienceWarnings(outlook: Outlook, draft: Draft, fits: readonly ChannelFit[]): Warning[] {
  return [...outlook.obstacles.flatMap((one) => ofObstacle(one) ?? []), ...ofSize(outlook, fits), ...ofQuietHours(outlook, draft), ...ofButtons(outlook, draft)]
}
