/** Signing in and out, and what one then may do. */

import type { AssertionJSON, RequestOptionsJSON } from '../passkey'
import { getAny, path, sendAny } from './calls'
import type { Role } from './members'

export interface Me {
  id: string
  name: string
  email: string
  super_admin: boolean
  two_factor: { totp: boolean; passkeys: number; recovery_codes_left: number }
  has_password: boolean
  /** Ids of the sign-in providers that vouch for one. */
  providers: string[]
  /** Whether one has, or had, anything to show again who one is. */
  can_confirm: boolean
  created_at: string
}

/** Who is signed in, what they may do where, and by which ways one can sign in here. */
export interface SessionBody {
  signed_in: boolean
  needs: 'second_factor' | 'setup' | null
  member: Me | null
  apps: { id: string; name: string; role: Role | null }[]
  permissions: { instance: string[]; apps: Record<string, string[]> }
  session: { id: string; expires_at: string; authenticated_at: string } | null
  ways: { password: boolean; passkey: boolean; oidc: { id: string; name: string }[] }
}

export interface PasskeyQuestion {
  id: string
  options: RequestOptionsJSON
}

export interface PasskeyAnswer {
  id: string
  credential: AssertionJSON
}

export type Proof = { password: string } | { code: string } | PasskeyAnswer

/** What an invitation's link opens. */
export interface Invited {
  app: string | null
  role: Role
  email: string
  known: boolean
}

export const session = {
  session: (signal?: AbortSignal) => getAny<SessionBody>('/session', signal),
  signIn: (email: string, password: string) => sendAny<SessionBody>('POST', '/session', { email, password }),
  openDemo: (setup_token: string) => sendAny<SessionBody>('POST', '/session', { setup_token }),
  secondFactor: (proof: { code: string } | { recovery_code: string }) => sendAny<SessionBody>('POST', '/session/second-factor', proof),
  askPasskey: () => sendAny<PasskeyQuestion>('POST', '/session/passkey/options', {}),
  signInWithPasskey: (answer: PasskeyAnswer) => sendAny<SessionBody>('POST', '/session/passkey', answer),
  confirm: (proof: Proof) => sendAny<unknown>('POST', '/session/confirm', proof),
  /** Where a provider asks again who one is; it sends the browser to `/confirmed`. */
  confirmAt: (provider: string) => sendAny<{ url: string }>('POST', path('session', 'oidc', provider, 'confirm')),
  signOut: () => sendAny<void>('DELETE', '/session'),

  lookAtInvitation: (token: string) => sendAny<Invited>('POST', '/invitations/look', { token }),
  acceptInvitation: (token: string, as?: { name: string; password: string }) => sendAny<SessionBody>('POST', '/invitations/accept', { token, ...as }),
  resetPassword: (token: string, password: string) => sendAny<void>('POST', '/password-reset', { token, new: password }),
}
