/** What needs somebody's attention, most pressing first, each with the way to mend it. */

import type { Integration, IntegrationMatter, Notification, System } from './api'
import { byWhom } from './audit'
import { duration, plural } from './format'
import { daysLeft, hrefOf, integrationName } from './integrations'
import { explained } from './reasons'

export interface Matter {
  id: string
  tone: 'error' | 'warning'
  title: string
  detail: string
  /** A page, or the integration to resume on the spot. */
  action: { label: string; href?: string; resume?: string }
}

export const LAG_WORTH_TELLING = 30 // seconds

const PUSH_SETTINGS = '/settings/push-notifications'
const SYSTEM = '/settings/system'

export function webPush(integrations: readonly Integration[]): Integration | undefined {
  return integrations.find((integration) => integration.provider === 'webpush')
}

/** The key that new subscriptions are made with. */
export function currentKey(integration: Integration | undefined) {
  return integration?.keys.find((key) => key.status === 'current')
}

/** The matter of a paused integration, undefined while it is at work. */
export function pauseOf(integration: Integration): Matter | undefined {
  if (!integration.paused_because) return undefined
  const { what, todo } = explained(integration.paused_because)
  return {
    id: `paused-${integration.id ?? integration.provider}`,
    tone: 'error',
    title: `${integrationName(integration)} is paused`,
    detail: `${what}. ${todo} Nothing is lost: what waits is sent when you resume.`,
    action: { label: 'Resume', resume: integration.id ?? integration.provider },
  }
}

/** The matter of credentials that end soon or have ended, undefined for others. */
export function endOf(integration: Integration, now: number): Matter | undefined {
  const days = daysLeft(integration, now)
  if (days === undefined) return undefined
  const name = integrationName(integration)
  return {
    id: `ends-${integration.id ?? integration.provider}`,
    tone: days > 3 ? 'warning' : 'error',
    title: days ? `The certificate of ${name} ends in ${plural(days, ['# day', '# days'])}` : `The certificate of ${name} has ended`,
    detail: `${days ? 'After that nothing reaches its devices.' : 'Nothing reaches its devices.'} Upload a new one, or a .p8 key, which never expires; devices stay as they are.`,
    action: { label: 'Replace it', href: hrefOf(integration) },
  }
}

/** The matter of the pause of everything, undefined while the instance sends. */
export function standstillOf(system: System): Matter | undefined {
  if (!system.paused) return undefined
  const why = system.paused.reason ? ` Reason: ${system.paused.reason}.` : ''
  return {
    id: 'paused-all',
    tone: 'error',
    title: 'All sending is paused',
    detail: `Paused by ${byWhom(system.paused.by)}.${why} Notifications are kept and wait, and their time to live goes on.`,
    action: { label: 'Show and resume', href: SYSTEM },
  }
}

function ofKeys(push: Integration | undefined): Matter[] {
  if (!currentKey(push)) {
    return [{
      id: 'no-key',
      tone: 'error',
      title: 'There is no VAPID key yet',
      detail: 'Browsers subscribe with it, so nobody can subscribe until it is made. It takes one click.',
      action: { label: 'Generate VAPID keys', href: PUSH_SETTINGS },
    }]
  }
  if (push?.settings.subject) return []
  return [{
    id: 'no-contact',
    tone: 'warning',
    title: 'The contact address is missing',
    detail: 'Push services write to it when something is wrong with your messages; Apple refuses messages without one.',
    action: { label: 'Add a contact address', href: PUSH_SETTINGS },
  }]
}

function ofWorkers(system: System): Matter[] {
  if (system.workers.length === 0) {
    return [{
      id: 'no-worker',
      tone: 'error',
      title: 'No worker is running',
      detail: 'Notifications are kept and wait. Start `tidings up` without `--no-worker`, or `tidings worker` on this or another machine.',
      action: { label: 'Show workers', href: SYSTEM },
    }]
  }
  if (system.queue_lag_seconds < LAG_WORTH_TELLING) return []
  return [{
    id: 'lag',
    tone: 'warning',
    title: `Sending is ${duration(system.queue_lag_seconds)} behind`,
    detail: system.database.kind === 'sqlite'
      ? 'After a stop or a pause it catches up by itself. If it does not, raise TIDINGS_SENDERS.'
      : `${plural(system.workers.length, ['# worker', '# workers'])} at work. After a stop or a pause they catch up by themselves. If they do not, add one with \`tidings worker\`, or raise TIDINGS_SENDERS.`,
    action: { label: 'Show workers', href: SYSTEM },
  }]
}

/** What the tripwire holds: `held` of them, of which `last` are the newest notifications; one alone is linked itself. */
function ofHeld(held: number, last: readonly Notification[]): Matter[] {
  if (held === 0) return []
  const [one, more] = last.filter((notification) => notification.held_because)
  const only = held === 1 && !more ? one : undefined
  return [{
    id: 'held',
    tone: 'warning',
    title: only ? `“${only.title}” is held` : `${plural(held, ['# notification', '# notifications'])} held`,
    detail: 'It looked like an accident, so nothing of it is sent until you resume or cancel it. Its time to live goes on.',
    action: only ? { label: 'Look at it', href: `/notifications/${only.id}` } : { label: 'Show notifications', href: '/notifications' },
  }]
}

/** Devices that are suspected, which the server counts. */
function ofSuspected(found: readonly IntegrationMatter[]): Matter[] {
  return found.filter((one) => one.matter === 'devices_suspected').map((one) => ({
    id: `suspected-${one.integration}`,
    tone: 'warning',
    title: `Some devices of ${integrationName(one)} are suspected`,
    detail: `${one.detail} ${one.mend}`,
    action: { label: 'Look at them', href: `/settings/integrations/${one.integration}` },
  }))
}

/** Webhooks that the server turned off. */
function ofWebhooks(found: readonly IntegrationMatter[]): Matter[] {
  return found.filter((one) => one.matter === 'webhook_disabled').map((one) => ({
    id: `webhook-${one.integration}`,
    tone: 'error',
    title: `The webhook ${one.label} was turned off`,
    detail: `${one.detail} ${one.mend}`,
    action: { label: 'Look at it', href: `/settings/webhooks/${one.integration}` },
  }))
}

export function matters(of: {
  integrations: readonly Integration[]
  system: System
  held?: number
  /** What the server found out about integrations. */
  found?: readonly IntegrationMatter[]
  notifications?: readonly Notification[]
}): Matter[] {
  // The server's clock: what ends, ends there.
  const now = Date.parse(of.system.now)
  const standstill = standstillOf(of.system)
  const found = [
    ...(standstill ? [standstill] : []),
    ...ofWorkers(of.system),
    ...of.integrations.flatMap((one) => [pauseOf(one), endOf(one, now)]).filter((matter) => matter !== undefined),
    ...ofHeld(of.held ?? 0, of.notifications ?? []),
    ...ofSuspected(of.found ?? []),
    ...ofWebhooks(of.found ?? []),
    ...ofKeys(webPush(of.integrations)),
  ]
  return [...found.filter(({ tone }) => tone === 'error'), ...found.filter(({ tone }) => tone === 'warning')]
}
