/** Subscriptions: the browsers and devices that can be told something. */

import { get, type Page, path, send } from './calls'

export type SubscriptionStatus = 'active' | 'expired' | 'unsubscribed'

/** What speaks against a device's token although the device may be well; it is kept, whatever comes. */
export interface Suspected {
  reason: string
  /** How often in a row it was refused while others were taken. */
  times: number
  since: string
  last_at: string
  /** Until then nothing is sent to it; null while it is tried. */
  rests_until: string | null
}

export interface Subscription {
  id: string
  provider: string
  origin: string
  user: string | null
  status: SubscriptionStatus
  status_reason: string | null
  device: string | null
  locale: string | null
  time_zone: string | null
  tags: Record<string, string>
  created_at: string
  last_active_at: string | null
  last_seen_at: string
  suspected: Suspected | null
}

/** One notification at one device, and what became of it. */
export interface Told {
  notification: string
  title: string
  status: 'sent' | 'failed' | 'expired' | 'skipped'
  reason: string
  attempt: number
  at: string
}

export const subscriptions = {
  subscription: (id: string, signal?: AbortSignal) => get<Subscription>(path('subscriptions', id), {}, signal),
  told: (id: string, query: { cursor?: string; limit?: number }, signal?: AbortSignal) => get<Page<Told>>(path('subscriptions', id, 'deliveries'), query, signal),
  subscriptions: (query: { status?: string; user?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
    get<Page<Subscription>>('/subscriptions', query, signal),
  deleteSubscription: (id: string) => send<void>('DELETE', `/subscriptions/${id}`),
}
