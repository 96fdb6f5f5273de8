/** The instance itself: its figures, its workers, and what it gave up. */

import { get, getAny, type Page, sendAny } from './calls'
import type { Counts, Notification } from './notifications'
import type { SubscriptionStatus } from './subscriptions'

/** Nothing is sent by any worker since then. */
export interface Pause {
  since: string
  by: string
  reason: string
}

/** What of an integration or a webhook wants attention; the other matters the pages find themselves. */
export interface IntegrationMatter {
  integration: string
  provider: string
  label: string
  matter: 'credentials_expire' | 'credentials_expired' | 'integration_paused' | 'devices_suspected' | 'webhook_disabled'
  detail: string
  mend: string
}

export interface Overview {
  subscriptions: Record<SubscriptionStatus, number>
  last_30_days: Counts
  notifications: Notification[]
  held: number
  attention: IntegrationMatter[]
}

/** A worker that has given a sign of life within the last seconds. */
export interface Worker {
  id: string
  host: string
  pid: number
  senders: number
  started_at: string
  seen_at: string
}

export interface System {
  version: string
  python: string
  platform: string
  database: { kind: string; version: string | null; warning: string | null }
  workers: Worker[]
  queue_lag_seconds: number
  paused: Pause | null
  now: string
  public_url: string | null
  insecure_endpoints: boolean
}

export interface DeadShard {
  id: number
  notification: string
  title: string
  in_doubt: number
  because: string
  buried_at: string
}

export const system = {
  overview: (signal?: AbortSignal) => get<Overview>('/stats/overview', {}, signal),
  system: (signal?: AbortSignal) => get<System>('/system', {}, signal),
  pauseAll: (reason: string) => sendAny<Pause>('POST', '/system/pause', { reason }),
  resumeAll: () => sendAny<void>('POST', '/system/resume'),
  deadShards: (signal?: AbortSignal) => getAny<Page<DeadShard>>('/system/dead-shards', signal, { limit: 200 }),
  requeue: (shard: number) => sendAny<DeadShard>('POST', `/system/dead-shards/${shard}/requeue`),
  drop: (shard: number) => sendAny<DeadShard>('POST', `/system/dead-shards/${shard}/drop`),
}
