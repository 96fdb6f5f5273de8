/** API keys: what programs sign in with. */

import { getAny, type Page, sendAny } from './calls'

/** The three that are enough for most, and finer ones that open one thing each. */
export type Scope =
  | 'read' | 'send' | 'admin'
  | 'messages:send' | 'messages:read' | 'templates:write' | 'segments:write' | 'users:write' | 'events:write' | 'events:read' | 'triggers:write' | 'webhooks:manage' | 'subscriptions:write' | 'subscriptions:export' | 'personal_data' | 'members:manage' | 'audit:read'

export interface ApiKey {
  id: string
  name: string
  prefix: string
  scopes: Scope[]
  app: string | null
  created_at: string
  created_by: string | null
  expires_at: string | null
  last_used_at: string | null
  revoked_at: string | null
}

export type IssuedKey = ApiKey & { key: string }

export interface NewKey {
  name: string
  scopes: Scope[]
  /** Absent, it reaches every App. */
  app?: string
  /** Absent, it holds until it is revoked. */
  expires_at?: string
}

export const keys = {
  keys: (signal?: AbortSignal) => getAny<Page<ApiKey>>('/keys', signal, { limit: 200 }),
  createKey: (key: NewKey) => sendAny<IssuedKey>('POST', '/keys', key),
  revokeKey: (id: string) => sendAny<void>('DELETE', `/keys/${id}`),
}
