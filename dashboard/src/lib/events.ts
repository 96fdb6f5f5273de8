/** Events in words. */

import type { HappenedEvent } from './api'
import { plural } from './format'

export const EVENT_STATUSES: readonly [string, string][] = [
  ['', 'All'],
  ['queued', 'Waiting'],
  ['done', 'Done'],
  ['failed', 'Failed'],
]

/** Whom it names and who did it, in one line. */
export function partiesOf({ users, actor }: Pick<HappenedEvent, 'users' | 'actor'>): string {
  const named = users.length === 1 ? `for ${users[0]}` : users.length ? `for ${plural(users.length, ['# user', '# users'])}` : ''
  return [named, actor ? `by ${actor}` : ''].filter(Boolean).join(', ')
}

/** The data in one line, as far as one looks. */
export function gist(data: Record<string, unknown>, most = 120): string {
  const text = JSON.stringify(data)
  return text === '{}' ? '' : text.length > most ? `${text.slice(0, most)}…` : text
}
