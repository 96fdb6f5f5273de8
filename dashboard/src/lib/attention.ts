/** What needs somebody's attention, most pressing first, each with the way to mend it. */

import type { App, Integration, System } from './api'
import { counted, duration } from './format'

export interface Matter {
  id: string
  tone: 'error' | 'warning'
  title: string
  detail: string
  /** A page, or `resume:<provider>` for what is mended on the spot. */
  action: { label: string; href?: string; resume?: string }
}

export const LAG_WORTH_TELLING = 30

const PUSH_SETTINGS = '/settings/push-notifications'

export function webPush(integrations: readonly Integration[]): Integration | undefined {
  return integrations.find((integration) => integration.provider === 'webpush')
}

/** The key that new subscriptions are made with. */
export function currentKey(integration: Integration | undefined) {
  return integration?.keys.find((key) => key.status === 'current')
}

export function matters(of: { integrations: readonly Integration[]; system: System; app: App | undefined }): Matter[] {
  const found: Matter[] = []
  const push = webPush(of.integrations)
  const key = currentKey(push)
  for (const integration of of.integrations.filter((one) => one.paused_because)) {
    found.push({
      id: `paused-${integration.provider}`,
      tone: 'error',
      title: `${integration.label} is paused`,
      detail: `${integration.paused_because}. Nothing is lost: what waits is sent once you mended it and resume.`,
      action: { label: 'Resume', resume: integration.provider },
    })
  }
  if (!of.system.workers.some((worker) => worker.alive)) {
    found.push({
      id: 'no-worker',
      tone: 'error',
      title: 'No worker is running',
      detail: 'Notifications are kept and wait. Start `tidings up` without --no-worker, or `tidings worker` on this or another machine.',
      action: { label: 'Show workers', href: '/settings/system' },
    })
  }
  if (!key) {
    found.push({
      id: 'no-key',
      tone: 'error',
      title: 'There is no VAPID key yet',
      detail: 'Browsers subscribe with it, so nobody can subscribe until it is made. It takes one click.',
      action: { label: 'Generate VAPID keys', href: PUSH_SETTINGS },
    })
  } else if (!push?.settings.subject) {
    found.push({
      id: 'no-contact',
      tone: 'warning',
      title: 'The contact address is missing',
      detail: 'Push services write to it when something is wrong with your messages; Apple refuses messages without one.',
      action: { label: 'Add a contact address', href: PUSH_SETTINGS },
    })
  }
  if (of.system.queue_lag_seconds >= LAG_WORTH_TELLING && found.every((matter) => matter.id !== 'no-worker')) {
    found.push({
      id: 'lag',
      tone: 'warning',
      title: `Sending is ${duration(of.system.queue_lag_seconds)} behind`,
      detail: `${counted(of.system.workers.filter((worker) => worker.alive).length, 'worker')} at work. Add one with \`tidings worker\`, or give this one more senders.`,
      action: { label: 'Show workers', href: '/settings/system' },
    })
  }
  if (of.system.database.warning) {
    found.push({
      id: 'database',
      tone: 'warning',
      title: 'The database needs an update',
      detail: of.system.database.warning,
      action: { label: 'Show versions', href: '/settings/system' },
    })
  }
  return found
}
