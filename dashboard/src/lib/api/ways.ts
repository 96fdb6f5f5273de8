/** Other ways to sign in: OpenID Connect providers, which super admins keep. */

import { getAny, path, sendAny } from './calls'
import type { Role } from './members'

export interface OidcProvider {
  id: string
  name: string
  issuer: string
  client_id: string
  domains: string[]
  /** The role that somebody unknown gets at their first sign-in, or that nobody unknown gets in. */
  create: 'never' | Role
  app: string | null
  redirect_uri?: string
}

export type OidcDraft = Omit<OidcProvider, 'id' | 'redirect_uri'> & { client_secret?: string }

export const ways = {
  oidcProviders: (signal?: AbortSignal) => getAny<{ data: OidcProvider[] }>('/sign-in/oidc', signal),
  saveOidc: (id: string, of: OidcDraft) => sendAny<OidcProvider>('PUT', path('sign-in', 'oidc', id), of),
  removeOidc: (id: string) => sendAny<void>('DELETE', path('sign-in', 'oidc', id)),
  testOidc: (id: string) => sendAny<Record<string, unknown>>('POST', `${path('sign-in', 'oidc', id)}/test`),
}
