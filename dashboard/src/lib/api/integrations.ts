/** Integrations and their keys: how an App signs in at push services. */

import { call } from '../http'
import { aboutApp, get, type Page, path, send } from './calls'
import type { Subscription } from './subscriptions'

export type KeyStatus = 'current' | 'retired' | 'revoked'

export interface IntegrationKey {
  fingerprint: string
  /** Of Web Push alone: the half that browsers need. */
  public_key: string | null
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
  /** When its credentials end by themselves, as certificates do. */
  expires_at: string | null
  tested: { at: string; ok: boolean; detail: string } | null
  /** Of one integration alone: active devices that were not seen for so long that their apps have gone. */
  unseen: number | null
  /** Of one integration alone: active devices whose tokens look as if they were of another environment, project or app. */
  suspected: number | null
}

export interface MadeKey {
  fingerprint: string
  public_key: string
  status: KeyStatus
  invalidated: number
  subject: string | null
}

/** One look at credentials or at a device: what it showed, and how to mend it where it is not well. */
export interface Finding {
  name: string
  ok: boolean
  detail: string
  mend: string
}

export interface ConnectionProof {
  ok: boolean
  findings: Finding[]
  warnings: string[]
}

export interface TestNotification {
  id: string
  status: 'waiting' | 'sent' | 'failed' | 'expired' | 'skipped'
  reason: string | null
  hints: Finding[]
}

/** What is uploaded: texts, and files that are no text in base64. */
export type Upload = Record<string, string>

export interface IntegrationChange {
  label?: string
  credentials?: Upload
  settings?: { subject: string }
  resume?: boolean
  /** Take credentials of another account, and lose the devices. */
  force?: boolean
}

const WEB_PUSH = '/integrations/webpush'
const of = (id: string, ...more: string[]) => path('integrations', id, ...more)

export const integrations = {
  integrations: (signal?: AbortSignal) => get<Page<Integration>>('/integrations', {}, signal),
  integration: (id: string, signal?: AbortSignal) => get<Integration>(of(id), {}, signal),
  addIntegration: (provider: string, label: string, credentials: Upload) => send<Integration>('POST', '/integrations', { provider, label, credentials }),
  changeIntegration: (id: string, change: IntegrationChange) => send<Integration>('PATCH', of(id), change),
  removeIntegration: (id: string) => call<{ expired: number }>(of(id), { method: 'DELETE', query: { app: aboutApp(), force: 'true' } }),
  devicesOf: (id: string, query: { search?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
    get<Page<Subscription>>(of(id, 'subscriptions'), query, signal),

  tryCredentials: (provider: string, credentials: Upload) => send<ConnectionProof>('POST', '/integrations/test', { provider, credentials }),
  testConnection: (id: string) => send<ConnectionProof>('POST', of(id, 'test')),
  sendTest: (id: string, test: { subscription: string; title: string; body: string }) => send<{ id: string }>('POST', of(id, 'test-notification'), test),
  lookAtTest: (id: string, test: string, signal?: AbortSignal) => get<TestNotification>(of(id, 'test-notification', test), {}, signal),

  generateKeys: (subject: string) => send<MadeKey>('POST', `${WEB_PUSH}/keys`, { action: 'generate', subject }),
  importKeys: (keys: { private_key: string; public_key: string; subject: string }) => send<MadeKey>('POST', `${WEB_PUSH}/keys`, { action: 'import', ...keys }),
  rotateKeys: () => send<MadeKey>('POST', `${WEB_PUSH}/keys`, { action: 'rotate' }),
  setContact: (subject: string) => send<Integration>('PATCH', WEB_PUSH, { settings: { subject } }),
  /** By its id, or by its provider's name where that has one integration. */
  resumeIntegration: (id: string) => send<Integration>('PATCH', of(id), { resume: true }),
}
