/** The member who is signed in: their own name, ways in and sessions. */

import type { AttestationJSON, CreationOptionsJSON } from '../passkey'
import { getAny, path, sendAny } from './calls'
import type { Me } from './session'

export interface SignedInSession {
  id: string
  current: boolean
  device: string | null
  address: string | null
  created_at: string
  seen_at: string
  expires_at: string
}

export interface Passkey {
  id: string
  name: string
  created_at: string
  last_used_at: string | null
}

/** A second factor that waits for its first code; `qr` is an SVG. */
export interface TotpOffer {
  secret: string
  uri: string
  qr: string
}

export const me = {
  me: (signal?: AbortSignal) => getAny<Me>('/me', signal),
  setMe: (of: { name?: string; email?: string }) => sendAny<Me>('PATCH', '/me', of),
  setPassword: (current: string, password: string) => sendAny<void>('POST', '/me/password', { current, new: password }),

  sessions: (signal?: AbortSignal) => getAny<{ data: SignedInSession[] }>('/me/sessions', signal),
  endSession: (id: string) => sendAny<void>('DELETE', path('me', 'sessions', id)),
  endOtherSessions: () => sendAny<void>('DELETE', '/me/sessions'),

  offerTotp: () => sendAny<TotpOffer>('POST', '/me/totp'),
  confirmTotp: (code: string) => sendAny<{ recovery_codes: string[] }>('POST', '/me/totp/confirm', { code }),
  removeTotp: () => sendAny<void>('DELETE', '/me/totp'),
  newRecoveryCodes: () => sendAny<{ recovery_codes: string[] }>('POST', '/me/recovery-codes'),

  /** Where a provider says who one is; it sends the browser back to Profile. */
  connect: (provider: string) => sendAny<{ url: string }>('POST', path('me', 'oidc', provider)),
  disconnect: (provider: string) => sendAny<void>('DELETE', path('me', 'oidc', provider)),

  passkeys: (signal?: AbortSignal) => getAny<{ data: Passkey[] }>('/me/passkeys', signal),
  offerPasskey: () => sendAny<{ id: string; options: CreationOptionsJSON }>('POST', '/me/passkeys/options', {}),
  addPasskey: (of: { id: string; name: string; credential: AttestationJSON }) => sendAny<Passkey>('POST', '/me/passkeys', of),
  renamePasskey: (id: string, name: string) => sendAny<Passkey>('PATCH', path('me', 'passkeys', id), { name }),
  removePasskey: (id: string) => sendAny<void>('DELETE', path('me', 'passkeys', id)),
}
