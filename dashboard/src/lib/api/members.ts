/** The people of the dashboard: who they are, what they may do, whom they invite. */

import { getAny, path, sendAny } from './calls'

export type Role = 'owner' | 'admin' | 'editor' | 'viewer'

export interface Member {
  id: string
  name: string
  email: string
  role: Role | null
  super_admin: boolean
  two_factor: boolean
  last_seen_at: string | null
  disabled_at: string | null
}

export interface Invitation {
  id: string
  email: string
  role: Role
  created_at?: string
  expires_at: string
}

export type NewInvitation = Invitation & { link: string }

const of = (app: string | undefined) => (app ? `?app=${encodeURIComponent(app)}` : '')

/** `app` undefined means the whole instance, which super admins see. */
export const members = {
  members: (app: string | undefined, signal?: AbortSignal) => getAny<{ data: Member[] }>('/members', signal, { app }),
  setRole: (id: string, app: string, role: Role) => sendAny<Member>('PATCH', `${path('members', id)}${of(app)}`, { role }),
  removeMember: (id: string, app: string) => sendAny<void>('DELETE', `${path('members', id)}${of(app)}`),
  setMember: (id: string, change: { super_admin?: boolean; disabled?: boolean }) => sendAny<Member>('PATCH', path('members', id), change),
  resetLink: (id: string) => sendAny<{ link: string; expires_at: string }>('POST', `${path('members', id)}/reset-link`),
  resetSecondFactor: (id: string) => sendAny<Member>('DELETE', `${path('members', id)}/second-factor`),

  invitations: (app: string, signal?: AbortSignal) => getAny<{ data: Invitation[] }>('/invitations', signal, { app }),
  invite: (app: string, email: string, role: Role) => sendAny<NewInvitation>('POST', `/invitations${of(app)}`, { email, role }),
  withdraw: (id: string, app: string) => sendAny<void>('DELETE', `${path('invitations', id)}${of(app)}`),
}
