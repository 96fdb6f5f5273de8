/** The audit log in sentences: "Anna sent “Fresh fish” to 12 408 devices". */

import type { Entry } from './api'
import { number, plural, withinSentence, word } from './format'
import { ROLES } from './permission'

type Say = (of: { what: string; detail: Readonly<Record<string, unknown>>; own: boolean }) => string

const role = (value: unknown) => withinSentence(ROLES.find(([one]) => one === value)?.[1] ?? (typeof value === 'string' ? value : 'another role'))
const as = (detail: Readonly<Record<string, unknown>>) => (detail.role ? ` as ${role(detail.role)}` : '')
const audience = (detail: Readonly<Record<string, unknown>>) => (typeof detail.audience === 'number' ? ` to ${plural(detail.audience, ['# device', '# devices'])}` : '')
type Detail = Readonly<Record<string, unknown>>
/** How many there were, or only what they were. */
const some = ({ count }: Detail, counted: (count: number) => string, uncounted: string) => (typeof count === 'number' ? counted(count) : uncounted)
const notifications = (detail: Detail) => some(detail, (count) => plural(count, ['# notification', '# notifications']), 'several notifications')
const subscriptions = (detail: Detail) => some(detail, (count) => plural(count, ['# subscription', '# subscriptions']), 'several subscriptions')
const events = (detail: Detail) => some(detail, (count) => plural(count, ['# event', '# events']), 'several events')
const WAYS: Readonly<Record<string, string>> = { password: 'a password', passkey: 'a passkey', oidc: 'a provider', link: 'a one-time link', setup_link: 'the set-up link', demo: 'the set-up link', invitation: 'an invitation', totp: 'a code', recovery_code: 'a recovery code' }
const by = (detail: Readonly<Record<string, unknown>>) => (typeof detail.way === 'string' ? ` with ${detail.way.replace(/^oidc:.*/, 'oidc').split('+').map((one) => WAYS[one] ?? one).join(' and ')}` : '')

/** By group, as the filter offers them. Each says what comes after the actor's name. */
export const GROUPS: readonly [group: string, says: Readonly<Record<string, Say>>][] = [
  ['Sending', {
    'notification.created': ({ what, detail }) => `sent ${what}${audience(detail)}`,
    'notification.paused': ({ what }) => `paused ${what}`,
    'notification.resumed': ({ what }) => `resumed ${what}`,
    'notification.cancelled': ({ what }) => `cancelled ${what}`,
    'notification.held_sent': ({ what, detail }) => `sent ${what || notifications(detail)} that had been held as a likely accident`,
    'notification.held_cancelled': ({ what, detail }) => `cancelled ${what || notifications(detail)} that had been held as a likely accident`,
    'template.created': ({ what }) => `wrote the template ${what}`,
    'template.changed': ({ what }) => `changed the template ${what}`,
    'template.deleted': ({ what }) => `deleted the template ${what}`,
    'image.uploaded': ({ what }) => `uploaded the picture ${what}`,
    'image.deleted': ({ what }) => `deleted the picture ${what}`,
    'sending.paused': ({ detail }) => `paused all sending${detail.reason ? `: ${String(detail.reason)}` : ''}`,
    'sending.resumed': () => 'let sending go on',
    'dead_shard.requeued': ({ what }) => `tried again what had been given up of ${what}`,
    'dead_shard.dropped': ({ what }) => `left what had been given up of ${what}`,
  }],
  ['Subscribers', {
    'subscription.changed': ({ what }) => `changed the subscription ${what}`,
    'subscription.deleted': ({ what }) => `deleted the subscription ${what}`,
    'subscriptions.imported': ({ detail }) => `imported ${subscriptions(detail)}`,
    'subscriptions.exported': ({ detail }) => `exported ${subscriptions(detail)}`,
    'user.written': ({ what }) => `wrote the user ${what}`,
    'user.deleted': ({ what }) => `deleted the user ${what}`,
    'preferences.changed': ({ what }) => `changed what the user ${what} hears of`,
    'follows.changed': ({ what, detail }) =>
      typeof detail.followed === 'string'
        ? `let the user ${what} follow ${detail.followed}`
        : typeof detail.unfollowed === 'string'
          ? `let the user ${what} leave ${detail.unfollowed}`
          : `changed who follows ${what}`,
    'quiet_hours.changed': () => 'changed the quiet hours',
    'segment.created': ({ what }) => `created the segment ${what}`,
    'segment.changed': ({ what }) => `changed the segment ${what}`,
    'segment.deleted': ({ what }) => `deleted the segment ${what}`,
    'personal_data.exported': ({ what }) => `exported what is kept of ${what}`,
    'personal_data.erased': ({ what }) => `erased what was kept of ${what}`,
  }],
  ['Events and triggers', {
    'event_type.set': ({ what, detail }) => `${detail.new ? word('declared') : word('changed')} the event type ${what}`,
    'event_type.removed': ({ what }) => `removed the event type ${what}`,
    'events.sent': ({ detail }) => `reported ${events(detail)}`,
    'trigger.created': ({ what }) => `created the trigger ${what}`,
    'trigger.changed': ({ what, detail }) => (detail.enabled === false ? `turned off the trigger ${what}` : detail.enabled === true ? `turned on the trigger ${what}` : `changed the trigger ${what}`),
    'trigger.deleted': ({ what }) => `deleted the trigger ${what}`,
    'event.replayed': ({ what }) => `let an event happen again: ${what}`,
  }],
  ['Members', {
    'member.created': ({ what, detail, own }) => (own ? 'became a member' : `made ${what} a member${as(detail)}`),
    'member.changed': ({ what, own }) => `changed ${own ? 'their name or e-mail' : `the name or e-mail of ${what}`}`,
    'member.role_changed': ({ what, detail }) => `made ${what} ${role(detail.to ?? detail.role)}${detail.from ? `, who was ${role(detail.from)}` : ''}`,
    'member.removed': ({ what, own }) => (own ? word('left') : `removed ${what}`),
    'member.disabled': ({ what }) => `disabled ${what}`,
    'member.enabled': ({ what }) => `let ${what} in again`,
    'member.super_admin_granted': ({ what }) => `made ${what} a super admin`,
    'member.super_admin_taken': ({ what }) => `took super admin from ${what}`,
    'invitation.created': ({ what, detail }) => `invited ${what}${as(detail)}`,
    'invitation.withdrawn': ({ what }) => `withdrew the invitation of ${what}`,
    'invitation.accepted': ({ detail }) => `accepted an invitation${as(detail)}`,
    'member.reset_link_made': ({ what }) => `made a link for a new password for ${what}`,
  }],
  ['Signing in', {
    'session.signed_in': ({ detail }) => `signed in${by(detail)}`,
    'session.sign_in_refused': ({ what }) => `was refused at signing in${what ? ` as ${what}` : ''}`,
    'session.signed_out': () => 'signed out',
    'session.ended': ({ what, own }) => (own ? 'ended their other sessions' : `ended sessions${what ? ` of ${what}` : ''}`),
    'member.password_changed': () => 'changed their password',
    'member.password_reset': ({ what }) => (what ? `chose a new password for ${what}, by a link` : 'chose a new password by a link'),
    'second_factor.reset': ({ what }) => `took away the lost second factor of ${what}`,
    'second_factor.totp_added': () => 'turned on two-factor',
    'second_factor.totp_removed': () => 'turned off two-factor',
    'second_factor.recovery_codes_made': () => 'made new recovery codes',
    'second_factor.recovery_code_used': () => 'used a recovery code',
    'passkey.added': ({ what }) => `added the passkey ${what}`,
    'passkey.renamed': ({ what }) => `renamed a passkey to ${what}`,
    'passkey.removed': ({ what }) => `removed the passkey ${what}`,
    'oidc.linked': ({ what, detail }) => `connected the account of ${what} with the provider ${detail.provider ?? ''}`,
    'oidc.unlinked': ({ what, detail }) => `disconnected the account of ${what} from the provider ${detail.provider ?? ''}`,
    'oidc.provider_set': ({ what }) => `set up signing in with ${what}`,
    'oidc.provider_removed': ({ what }) => `removed signing in with ${what}`,
  }],
  ['Keys and settings', {
    'key.created': ({ what }) => `created the API key ${what}`,
    'key.revoked': ({ what }) => `revoked the API key ${what}`,
    'credential.added': ({ what }) => `added credentials to ${what}`,
    'integration.changed': ({ what }) => `changed the integration ${what}`,
    'integration.resumed': ({ what }) => `resumed the integration ${what}`,
    'integration.removed': ({ what }) => `removed the integration ${what}`,
    'channel.created': ({ what }) => `made the broadcast channel ${what}`,
    'channel.deleted': ({ what }) => `deleted the broadcast channel ${what}`,
    'webhook.created': ({ what }) => `created the webhook ${what}`,
    'webhook.changed': ({ what }) => `changed the webhook ${what}`,
    'webhook.turned_off': ({ what, detail }) => `turned off the webhook ${what}, ${detail.because === 'gone' ? 'which said that it is gone' : 'which had failed for days'}`,
    'webhook.deleted': ({ what }) => `deleted the webhook ${what}`,
    'webhook.secret_rotated': ({ what }) => `made a new secret for the webhook ${what}`,
    'webhook.tested': ({ what }) => `tested the webhook ${what}`,
    'webhook.replayed': ({ what, detail }) => `had ${typeof detail.messages === 'number' ? plural(detail.messages, ['# message', '# messages']) : 'a message'} of the webhook ${what} sent again`,
    'app.created': ({ what }) => `created the App ${what}`,
    'app.changed': ({ what }) => `changed the App ${what}`,
    'app.deleted': ({ what }) => `deleted the App ${what}`,
    'app.identity_secret_shown': ({ what }) => `had the identity secret of ${what} shown`,
    'audit.exported': () => 'exported the audit log',
    'audit.cut': ({ detail }) => `removed ${typeof detail.entries === 'number' ? plural(detail.entries, ['# entry', '# entries']) : word('entries')} of the audit log that had their time`,
  }],
]

const SAYS: ReadonlyMap<string, Say> = new Map(GROUPS.flatMap(([, says]) => Object.entries(says)))

/** What people call it, in quotes where that is words of their own; its id where it has no name. */
function whatOf({ subject }: Entry): string {
  if (!subject) return ''
  // What was said to single people is theirs, and not in the log.
  if (!subject.name) return subject.kind === 'notification' ? 'a personal notification' : (subject.id ?? '')
  return subject.kind === 'member' || subject.kind === 'invitation' || subject.kind === 'session' ? subject.name : `“${subject.name}”`
}

/** What was done, without who did it; an action that this page does not know is told as it is. */
export function deedOf(entry: Entry): string {
  const what = whatOf(entry)
  const said = SAYS.get(entry.action)?.({ what, detail: entry.detail, own: entry.actor.kind === 'member' && entry.actor.id !== null && entry.actor.id === entry.subject?.id }) ?? `${entry.action.replace(/[._]/g, ' ')} ${what}`
  return said.trim().replace(/\s+/g, (space) => (space.includes('\u202f') ? space : ' '))
}

export function knows(action: string): boolean {
  return SAYS.has(action)
}

const ACTORS: Readonly<Record<string, string>> = { operator: 'Whoever runs the server', system: 'Tidings', nobody: 'Somebody' }

/** By whom, where only a name was kept: of whoever runs the server it is the name of their role. */
export const byWhom = (name: string) => (name === 'operator' ? 'whoever runs the server' : name)

/** Who did it. */
export function actorOf({ actor }: Entry): string {
  if (actor.kind === 'key') return `API key ${actor.name ?? ''}`.trim()
  return (actor.kind === 'member' && actor.name) || (ACTORS[actor.kind] ?? actor.name ?? 'Somebody')
}

/** What the details are called; others, which a newer server may have, by their names. */
const DETAILS: Readonly<Record<string, string>> = {
  account: 'Account', audience: 'Audience', bytes: 'Bytes', changed: 'Changed', count: 'Count', create: 'Creates members', device: 'Device', domains: 'Domains', dry_run: 'Dry run',
  earlier_identity_secret: 'Earlier identity secret', enabled: 'Enabled', entries: 'Entries', erasure: 'Erasure', event: 'Event', event_types: 'Event types', events: 'Events', expired: 'Expired',
  expires_at: 'Expires', followed: 'Follows now', from: 'From', grace_hours: 'Hours of grace', hash: 'Hash', height: 'Height', issuer: 'Issuer', key: 'Key', known: 'Known', label: 'Label', lost: 'Lost',
  name: 'Name', new: 'New', origins: 'Origins', passkeys: 'Passkeys', paused_because: 'Paused because', preset: 'Preset', provider: 'Provider', quiet_hours: 'Quiet hours', reason: 'Reason',
  refused: 'Refused', require_signed_identity: 'Identities must be signed', revoked_earlier: 'Earlier keys revoked', role: 'Role', scopes: 'Scopes', sessions: 'Sessions', settings: 'Settings',
  through: 'Up to entry', to: 'To', totp: 'Authenticator app', unfollowed: 'Follows no more', version: 'Version', way: 'Way', web_push_enabled: 'Web Push enabled', width: 'Width',
}

function detailText(value: unknown): string {
  if (typeof value === 'number') return number(value)
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? word('yes') : word('no')
  if (value === null) return '–'
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value.join(', ') : JSON.stringify(value)
}

/** The details as rows to read: names and values as text, nothing nested deeper than one level. */
export function rowsOf(detail: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(detail).map(([name, value]) => [DETAILS[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' '), detailText(value)])
}

/** From the days of a filter to times: the first begins at its midnight here, the last ends at the next. */
export function spanFrom(from: string, to: string): { after?: string; before?: string } {
  const at = (day: string, plus: number) => {
    const [year, month, date] = day.split('-').map(Number) as [number, number, number]
    return new Date(year, month - 1, date + plus).toISOString()
  }
  return { ...(from ? { after: at(from, 0) } : {}), ...(to ? { before: at(to, 1) } : {}) }
}
