/** Webhooks: which servers of the App are told what, and what they were told. */

import { get, type Page, path, send } from './calls'

export type WebhookEvent =
  | 'delivery.sent' | 'delivery.failed' | 'delivery.expired' | 'delivery.skipped'
  | 'receipt.shown' | 'receipt.clicked' | 'receipt.closed' | 'receipt.answered'
  | 'subscription.created' | 'subscription.expired' | 'subscription.unsubscribed'
  | 'notification.finished'

export interface WebhookBody {
  url: string
  events: WebhookEvent[]
  description: string
}

export interface Webhook extends WebhookBody {
  id: string
  enabled: boolean
  disabled_because: 'failing' | 'gone' | null
  failures: number
  failing_since: string | null
  succeeded_at: string | null
  earlier_secret_until: string | null
  created_at: string
  updated_at: string
}

export type RevealedWebhook = Webhook & { secret: string }

export interface WebhookTry {
  at: string
  /** What the receiver answered; null where nothing came back. */
  status: number | null
  failure: string
  seconds: number
  answer: string
}

export type WebhookTested = Omit<WebhookTry, 'at'> & { message: string; delivered: boolean }

export type MessageStatus = 'waiting' | 'delivered' | 'failed'

export interface WebhookMessage {
  id: string
  status: MessageStatus
  events: number
  tries: number
  test: boolean
  created_at: string
  next_try_at: string | null
  done_at: string | null
  last_status: number | null
  last_failure: string
}

export type WebhookMessageDetails = WebhookMessage & { attempts: WebhookTry[]; content: unknown[] }

const at = (id: string, ...more: string[]) => path('webhooks', id, ...more)

export const webhooks = {
  webhooks: (signal?: AbortSignal) => get<Page<Webhook>>('/webhooks', {}, signal),
  webhook: (id: string, signal?: AbortSignal) => get<Webhook>(at(id), {}, signal),
  createWebhook: (body: WebhookBody) => send<RevealedWebhook>('POST', '/webhooks', body),
  changeWebhook: (id: string, changes: Partial<WebhookBody> & { enabled?: boolean }) => send<Webhook>('PATCH', at(id), changes),
  deleteWebhook: (id: string) => send<void>('DELETE', at(id)),
  rotateWebhook: (id: string, keep: number) => send<RevealedWebhook>('POST', at(id, 'secret'), { keep_seconds: keep }),
  testWebhook: (id: string) => send<WebhookTested>('POST', at(id, 'test')),
  webhookMessages: (id: string, query: Record<string, string | number | undefined>, signal?: AbortSignal) => get<Page<WebhookMessage>>(at(id, 'messages'), query, signal),
  webhookMessage: (id: string, message: string, signal?: AbortSignal) => get<WebhookMessageDetails>(at(id, 'messages', message), {}, signal),
  replayMessage: (id: string, message: string) => send<WebhookMessage>('POST', at(id, 'messages', message, 'replay')),
  replayFailed: (id: string, since: string) => send<{ messages: number }>('POST', at(id, 'replay'), { since, status: 'failed' }),
}
