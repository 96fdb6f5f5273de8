/** What a subscription is called where it has no name of its own. */

import type { Subscription } from './api'

const KINDS: Readonly<Record<string, string>> = { webpush: 'A browser', fcm: 'A device with Android', apns: 'A device of Apple', webhook: 'A receiver' }

/** "Firefox on Windows"; where the device did not say, what it must be. */
export function deviceName({ device, provider }: Pick<Subscription, 'device' | 'provider'>): string {
  return device ?? KINDS[provider] ?? 'A device'
}
