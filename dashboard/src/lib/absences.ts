/** Why a notification was sent to none of a person's devices, in words, and what to do about it. */

import type { Absence } from './api'
import { exact } from './format'
import { providerName } from './integrations'
import { explained, type Explained } from './reasons'

const NOTHING = 'Nothing to do.'

const TABLE: Readonly<Record<string, Explained>> = {
  no_device: { what: 'They have no browser and no device with push', todo: 'They can turn push on at your site, or in your app. In the bell they read it all the same.' },
  subscribed_later: { what: 'They turned push on only afterwards', todo: 'Nothing to do: the next one reaches them.' },
  device_ended: { what: 'Push is off at each of their devices', todo: 'They can turn it on again at your site, or in your app.' },
  no_key: { what: 'No key fits any of their devices', todo: 'Nothing to do: the SDK subscribes a device again on its next visit.' },
  not_named: { what: 'It was for others: it named neither them nor a device of theirs', todo: 'See in Events whether an event named them, and in Triggers whom a trigger tells.' },
  conditions: { what: 'They are not in its audience: its conditions do not hold for them', todo: 'Change what your server says of them, or the conditions.' },
  tags: { what: 'They are not in its audience: no device of theirs has its tags', todo: 'Set the tag at the device, or send to a wider audience.' },
  channel: { what: 'It went through channels that no device of theirs has', todo: 'Send through all channels, or through one that they have.' },
  push_service: { what: 'The push service itself sent it on, to whoever follows there', todo: 'Who they are is not known here.' },
  scheduled: { what: 'It is to be sent later', todo: NOTHING },
  held: { what: 'It is held until somebody says that it is meant', todo: 'Open the notification, and send or cancel it.' },
  paused: { what: 'It is paused, and has not reached them yet', todo: 'Open the notification and resume it.' },
  quiet_hours: { what: 'It waits for the end of their quiet hours', todo: NOTHING },
  under_way: { what: 'It is still being sent', todo: 'Nothing to do. If it stays so, see in System whether a worker is alive.' },
  cancelled: { what: 'It was cancelled before a push service had taken it for them', todo: 'Nothing to do. After a try without an answer it may have arrived all the same.' },
  in_doubt: { what: 'They may have been in a part of it that was given up', todo: 'Nobody knows whether that part left. See in System what was given up. Or they came into its audience later.' },
  joined_later: { what: 'They are in its audience now, and were not when it was sent', todo: 'Their tags or what your server says of them changed since, or the device was turned on again.' },
  forgotten: { what: 'It was so long ago that only counts are kept', todo: 'How long single deliveries are kept is set with `TIDINGS_KEEP_DELIVERIES`.' },
}

/** How the way of a notification to somebody stands, of whom there is no delivery: not "not sent" where nobody knows. */
export function stand({ reason }: Absence): string {
  if (reason === 'under_way') return 'sending'
  if (reason === 'paused' || reason === 'held' || reason === 'cancelled') return reason
  return reason === 'in_doubt' || reason === 'forgotten' ? 'unknown' : 'unsent'
}

/** The reason with what decided it, one line each. */
export function absenceInWords({ reason, because, at }: Absence): Explained & { details: string[] } {
  const words = TABLE[reason] ?? { what: reason.replaceAll('_', ' '), todo: NOTHING }
  if (reason === 'subscribed_later' && at) return { ...words, details: [`On since ${exact(at)}`] }
  if (reason === 'scheduled' && at) return { ...words, details: [`To be sent ${exact(at)}`] }
  if (reason === 'quiet_hours' && at) return { ...words, details: [`They end ${exact(at)}`] }
  if (reason === 'device_ended') return { ...words, details: because.map((one) => explained(one).what) }
  if (reason === 'channel') return { ...words, details: because.map(providerName) }
  return { ...words, details: reason === 'held' ? [] : because }
}
