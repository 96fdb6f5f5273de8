/** Subscriptions: the browsers and devices that can be told something. */

import { get, type Page, send } from './calls'

export type SubscriptionStatus = 'active' | 'expired' | 'unsubscribed'

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
}

export const subscriptions = {
  subscriptions: (query: { status?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
    get<Page<Subscription>>('/subscriptions', query, signal),
  deleteSubscription: (id: string) => send<void>('DELETE', `/subscriptions/${id}`),
}
