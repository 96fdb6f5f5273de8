/** The routes of the REST API that the dashboard uses, and the shapes of their bodies. */

import { address, call } from './http'

export interface Page<T> {
  data: T[]
  next_cursor: string | null
}

export interface App {
  id: string
  name: string
  origins: string[]
  created_at: string
}

/** One way in: what to do, and the code for it. */
export interface Snippet {
  way: 'file' | 'worker' | 'npm'
  title: string
  when: string
  steps: { title: string; code: string }[]
}

export interface Snippets {
  server: string
  snippets: Snippet[]
  policy: string
  check: string
}

export type KeyStatus = 'current' | 'retired' | 'revoked'

export interface IntegrationKey {
  fingerprint: string
  public_key: string
  status: KeyStatus
  subscriptions: number
  created_at: string | null
}

export interface Integration {
  id: string | null
  provider: string
  label: string
  configured: boolean
  settings: Record<string, string>
  paused_because: string | null
  keys: IntegrationKey[]
}

export interface MadeKey {
  fingerprint: string
  public_key: string
  status: KeyStatus
  invalidated: number
  subject: string | null
}

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

export type Audience = { all: true } | { users: string[] } | { subscriptions: string[] } | { tags: Record<string, string> }

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
  created_at: string
  send_at: string
  expires_at: string
  finished_at: string | null
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

/** Nothing is sent by any worker since then. */
export interface Pause {
  since: string
  by: string
  reason: string
}

export type Scope = 'read' | 'send' | 'admin'

export interface ApiKey {
  id: string
  name: string
  prefix: string
  scopes: Scope[]
  app: string | null
  created_at: string
  last_used_at: string | null
  revoked_at: string | null
}

export interface Overview {
  subscriptions: Record<SubscriptionStatus, number>
  last_30_days: Counts
  notifications: Notification[]
  held: number
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

let scope: string | undefined

/** Say which App requests are about; only where there are several. */
export function about(app: string | undefined): void {
  scope = app
}

const WEB_PUSH = '/integrations/webpush'

export const api = {
  session: (signal?: AbortSignal) => call<{ signed_in: boolean }>('/session', signal ? { signal } : {}),
  signIn: (setup_token: string) => call<{ signed_in: boolean }>('/session', { method: 'POST', body: { setup_token } }),
  signOut: () => call<void>('/session', { method: 'DELETE' }),

  apps: () => call<Page<App>>('/apps', { query: { limit: 200 } }),
  snippets: (app: string, signal?: AbortSignal) => call<Snippets>(`/apps/${app}/snippets`, signal ? { signal } : {}),
  setOrigins: (app: string, origins: string[]) => call<App>(`/apps/${app}`, { method: 'PATCH', body: { origins } }),

  integrations: (signal?: AbortSignal) => get<Page<Integration>>('/integrations', {}, signal),
  generateKeys: (subject: string) => send<MadeKey>('POST', `${WEB_PUSH}/keys`, { action: 'generate', subject }),
  rotateKeys: () => send<MadeKey>('POST', `${WEB_PUSH}/keys`, { action: 'rotate' }),
  setContact: (subject: string) => send<Integration>('PATCH', WEB_PUSH, { settings: { subject } }),
  resumeIntegration: (provider: string) => send<Integration>('PATCH', `/integrations/${provider}`, { resume: true }),

  overview: (signal?: AbortSignal) => get<Overview>('/stats/overview', {}, signal),
  system: (signal?: AbortSignal) => get<System>('/system', {}, signal),
  pauseAll: (reason: string) => call<Pause>('/system/pause', { method: 'POST', body: { reason } }),
  resumeAll: () => call<void>('/system/resume', { method: 'POST' }),
  deadShards: (signal?: AbortSignal) => call<Page<DeadShard>>('/system/dead-shards', { query: { limit: 200 }, ...(signal ? { signal } : {}) }),
  requeue: (shard: number) => call<DeadShard>(`/system/dead-shards/${shard}/requeue`, { method: 'POST' }),
  drop: (shard: number) => call<DeadShard>(`/system/dead-shards/${shard}/drop`, { method: 'POST' }),

  subscriptions: (query: { status?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
    get<Page<Subscription>>('/subscriptions', query, signal),
  deleteSubscription: (id: string) => send<void>('DELETE', `/subscriptions/${id}`),

  notifications: (query: { cursor?: string; limit?: number }, signal?: AbortSignal) =>
    get<Page<Notification>>('/notifications', query, signal),
  notification: (id: string, signal?: AbortSignal) => get<Notification>(`/notifications/${encodeURIComponent(id)}`, {}, signal),
  count: (to: Audience, signal?: AbortSignal) => send<{ count: number }>('POST', '/notifications/count', { to }, signal),
  send: (to: Audience, content: Content, idempotencyKey: string, expected?: number) =>
    call<Accepted>('/notifications', {
      method: 'POST', query: { app: scope }, body: { to, ...content, ...(expected === undefined ? {} : { expect_audience: expected }) }, headers: { 'Idempotency-Key': idempotencyKey },
    }),
  control: (id: string, verb: 'pause' | 'resume' | 'cancel') =>
    send<Notification>('POST', `/notifications/${encodeURIComponent(id)}/${verb}`),
  progressAddress: (id: string) => address(`/notifications/${encodeURIComponent(id)}/progress`, { app: scope }),

  keys: (signal?: AbortSignal) => call<Page<ApiKey>>('/keys', { query: { limit: 200 }, ...(signal ? { signal } : {}) }),
  createKey: (name: string, scopes: Scope[]) =>
    call<ApiKey & { key: string }>('/keys', { method: 'POST', body: { name, scopes, ...(scope ? { app: scope } : {}) } }),
  revokeKey: (id: string) => call<void>(`/keys/${id}`, { method: 'DELETE' }),
}

function get<T>(path: string, query: Record<string, string | number | undefined>, signal?: AbortSignal): Promise<T> {
  return call<T>(path, { query: { ...query, app: scope }, ...(signal ? { signal } : {}) })
}

function send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return call<T>(path, { method, query: { app: scope }, body, ...(signal ? { signal } : {}) })
}
