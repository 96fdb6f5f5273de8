/** Integrations and their keys: how an App signs in at push services. */

import { get, type Page, send } from './calls'

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

const WEB_PUSH = '/integrations/webpush'

export const integrations = {
  integrations: (signal?: AbortSignal) => get<Page<Integration>>('/integrations', {}, signal),
  generateKeys: (subject: string) => send<MadeKey>('POST', `${WEB_PUSH}/keys`, { action: 'generate', subject }),
  rotateKeys: () => send<MadeKey>('POST', `${WEB_PUSH}/keys`, { action: 'rotate' }),
  setContact: (subject: string) => send<Integration>('PATCH', WEB_PUSH, { settings: { subject } }),
  resumeIntegration: (provider: string) => send<Integration>('PATCH', `/integrations/${provider}`, { resume: true }),
}
