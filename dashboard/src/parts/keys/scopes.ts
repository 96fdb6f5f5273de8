/** What an API key may do, in words. */

import type { Scope } from '../../lib/api'

type Row = readonly [scope: Scope, label: string, words: string]

export const SCOPES: readonly Row[] = [
  ['read', 'Read', 'see subscriptions, notifications and figures'],
  ['send', 'Send', 'send, and keep users and subscriptions up to date'],
  ['admin', 'Administer', 'also integrations, keys and settings; no exports of people, no members'],
]

/** Each opens one thing; what carries people's data or lets people in is in none of the three above. */
export const FINER: readonly Row[] = [
  ['messages:send', 'Send only', 'send notifications, see none'],
  ['messages:read', 'Notifications', 'see notifications and how far they are'],
  ['templates:write', 'Templates', 'write templates'],
  ['webhooks:manage', 'Webhooks', 'keep webhooks and see what they were told'],
  ['segments:write', 'Segments', 'keep segments and count them'],
  ['users:write', 'Users', 'keep users up to date'],
  ['events:write', 'Report events', 'report what happened, see nothing'],
  ['events:read', 'Events', 'see events and their types'],
  ['triggers:write', 'Triggers', 'keep event types and triggers'],
  ['subscriptions:write', 'Subscriptions', 'keep subscriptions up to date'],
  ['subscriptions:export', 'Export', 'export subscriptions with their addresses'],
  ['personal_data', 'Personal data', 'export and erase what is kept of a person'],
  ['members:manage', 'Members', 'invite, change and remove members'],
  ['audit:read', 'Audit', 'read the audit log'],
]

/** "Read, Send", in the order above; what is unknown as it is, and all there is as one word. */
export function scopesInWords(scopes: readonly string[]): string {
  const rows = [...SCOPES, ...FINER]
  if (rows.every(([scope]) => scopes.includes(scope))) return 'Everything'
  const known = rows.filter(([scope]) => scopes.includes(scope)).map(([, label]) => label)
  return [...known, ...scopes.filter((scope) => !rows.some(([one]) => one === scope))].join(', ')
}
