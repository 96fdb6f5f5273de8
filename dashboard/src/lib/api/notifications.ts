/** Notifications: what is sent, to whom, and how far it is. */

import { address, call } from '../http'
import { aboutApp, get, type Page, path, send } from './calls'
import type { Action, Variant } from './templates'

export type NotificationStatus = 'queued' | 'sending' | 'paused' | 'cancelled' | 'done'

export interface Counts {
  audience: number
  sent: number
  failed: number
  expired: number
  skipped: number
  shown: number
  clicked: number
  closed: number
  answered: number
}

export type Audience = { all: true } | { users: string[] } | { subscriptions: string[] } | { tags: Record<string, string> } | { segment: string } | { conditions: string }

export type Urgency = 'very-low' | 'low' | 'normal' | 'high'

/** What a notification says, as it is sent; what is absent or null is the server's default. */
export interface Content {
  title: string
  body?: string
  url?: string | null
  icon?: string | null
  image?: string | null
  ttl?: number
  urgency?: Urgency
  collapse_id?: string | null
  /** The event type it tells of. */
  type?: string
  actions?: Action[]
  locales?: Record<string, Variant>
}

export interface Notification extends Content {
  id: string
  status: NotificationStatus
  /** Why the tripwire holds it until somebody says that it is meant. */
  held_because: string | null
  counts: Counts
  reasons: Record<string, number>
  answers: Record<string, number> | null
  to: Audience
  source: string
  /** The trigger that made it, if one did. */
  trigger: string | null
  event: string | null
  created_at: string
  send_at: string
  expires_at: string
  finished_at: string | null
}

/** What people did from `at` on, for as long as a step is. */
export interface TimelinePoint {
  at: string
  shown: number
  clicked: number
  closed: number
  answered: number
}

export interface Timeline {
  step_seconds: number
  data: TimelinePoint[]
}

/** One recipient that has its final state. */
export interface Delivery {
  subscription: string | null
  user: string | null
  name: string | null
  device: string | null
  status: 'sent' | 'failed' | 'expired' | 'skipped'
  reason: string
  attempt: number
}

export interface Progress {
  status: NotificationStatus
  counts: Counts
  rate: number
  eta_seconds: number | null
}

export interface Accepted {
  id: string
  status: NotificationStatus
  audience: number
  held_because?: string
}

/** How a message fits one way to devices. */
export interface ChannelFit {
  channel: string
  /** Why nothing can be sent there; empty if it can. */
  fault: string
  sizes: { service: string; size: number; largest: number; fits: boolean }[]
  unshown: { member: string; shown: 'partly' | 'app' | 'no'; words: string }[]
}

export const notifications = {
  notifications: (query: { cursor?: string; limit?: number }, signal?: AbortSignal) =>
    get<Page<Notification>>('/notifications', query, signal),
  notification: (id: string, signal?: AbortSignal) => get<Notification>(path('notifications', id), {}, signal),
  deliveries: (id: string, query: { outcome?: string; reason?: string; cursor?: string; limit?: number }, signal?: AbortSignal) => get<Page<Delivery>>(path('notifications', id, 'deliveries'), query, signal),
  timeline: (id: string, signal?: AbortSignal) => get<Timeline>(path('notifications', id, 'timeline'), {}, signal),
  count: (to: Audience, signal?: AbortSignal) => send<{ count: number }>('POST', '/notifications/count', { to }, signal),
  fit: (content: Content, signal?: AbortSignal) => send<{ channels: ChannelFit[] }>('POST', '/notifications/fit', { to: { all: true }, ...content }, signal),
  send: (to: Audience, content: Content, idempotencyKey: string, expected?: number) =>
    call<Accepted>('/notifications', {
      method: 'POST', query: { app: aboutApp() }, body: { to, ...content, ...(expected === undefined ? {} : { expect_audience: expected }) }, headers: { 'Idempotency-Key': idempotencyKey },
    }),
  control: (id: string, verb: 'pause' | 'resume' | 'cancel') => send<Notification>('POST', path('notifications', id, verb)),
  progressAddress: (id: string) => address(path('notifications', id, 'progress'), { app: aboutApp() }),
}
