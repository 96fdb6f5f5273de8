/** Devices in words: what one is called, and what speaks against its token. */

import type { Subscription, Suspected } from './api'
import { exact, plural } from './format'
import { explained } from './reasons'

const KINDS: Readonly<Record<string, string>> = { webpush: 'A browser', fcm: 'A device with Android', apns: 'A device of Apple', webhook: 'A receiver' }

/** "Firefox on Windows"; where the device did not say, what it must be. */
export function deviceName({ device, provider }: Pick<Subscription, 'device' | 'provider'>): string {
  return device ?? KINDS[provider] ?? 'A device'
}

/** Whether Apple knows a device in the sandbox alone, as it does an app that was run from Xcode. */
export function isSandbox({ provider, origin }: Pick<Subscription, 'provider' | 'origin'>): boolean {
  return provider === 'apns' && origin === 'https://api.sandbox.push.apple.com'
}

/** What one device that is suspected means for what is sent to it, and how to mend it. */
export function doubtOf(of: Suspected, now: number): { what: string; since: string; todo: string } {
  const { what, todo } = explained(of.reason)
  const rests = of.rests_until !== null && Date.parse(of.rests_until) > now
  return {
    what,
    since: `Refused ${plural(of.times, ['# time', '# times'])} in a row since ${exact(of.since)}, while others were taken. ${rests ? `Nothing is sent to it until ${exact(of.rests_until!)}, or until its app registers it again.` : 'It is still tried.'}`,
    todo,
  }
}
