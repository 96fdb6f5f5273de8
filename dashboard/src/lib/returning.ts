/** Coming back: to the page that was asked for, and why one has to sign in anew. */

import { ours } from './routes'

const DOORS = ['/sign-in', '/setup', '/invite', '/reset', '/confirmed']

/** Whether a page is one that needs no session. */
export function isDoor(path: string): boolean {
  return DOORS.includes(path.replace(/(.)\/$/, '$1'))
}

/** The sign-in page that leads back to where one was. */
export function signInFor(wanted: string): string {
  return wanted === '/' || isDoor(wanted.split(/[?#]/)[0]!) ? '/sign-in' : `/sign-in?next=${encodeURIComponent(wanted)}`
}

/** Where to go after signing in: a page of this dashboard and nothing else, whatever the address says. */
export function wantedFrom(next: string | null): string {
  if (!next || !/^\/(?![/\\])/.test(next) || /[\u0000-\u001f\\]/.test(next)) return '/'
  const path = next.split(/[?#]/)[0]!
  return ours(path) && !isDoor(path) ? next : '/'
}

/** What this device remembers of the session it had. */
export interface Remembered {
  seen_at: number
  expires_at: number
}

const DAY = 86_400_000

/** A session ends so many days after the last visit. */
export const IDLE_DAYS = 14

/** Why a session is over, from when it was last seen and when it would have ended even in use; all in milliseconds. */
export function whyEnded({ seen_at, expires_at }: Remembered, now: number): string {
  if (now - seen_at >= IDLE_DAYS * DAY) return `You were signed out after ${IDLE_DAYS} days without a visit.`
  if (now >= expires_at) return 'You were signed out: a session ends after some weeks, even in use.'
  return 'Your session was ended: on another device, by a new password, or by an administrator.'
}
