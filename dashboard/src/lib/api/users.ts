/** People the App knows, by its own ids, and what is kept of them. */

import { fetchFile } from '../http'
import { language } from '../language'
import { aboutApp, get, type Page, path, send } from './calls'

export interface User {
  id: string
  attributes: Record<string, unknown>
  locale: string | null
  time_zone: string | null
  created_at: string
  updated_at: string
}

interface Switch {
  enabled: boolean
  default: boolean
}

export interface Choice {
  type: string
  name: string
  description: string
  category: string
  mandatory: boolean
  push: Switch
  feed: Switch
}

export interface Preferences {
  event_types: Choice[]
  quiet_hours: { from: string; to: string; time_zone: string | null } | null
  quiet_hours_from: 'person' | 'app'
}

/** Why a notification was sent to none of a person's devices. */
export interface Absence {
  reason: string
  because: string[]
  at: string | null
}

/** One notification at a person's devices. */
export interface Heard {
  notification: string
  title: string
  at: string
  absence: Absence | null
  devices: { subscription: string; device: string | null; provider: string; status: 'sent' | 'failed' | 'expired' | 'skipped'; reason: string; attempt: number; at: string }[]
}

export interface Topic {
  topic: string
  since: string
}

/** The receipt of an erasure; it does not say whose data it was. */
export interface Erasure {
  id: string
  status: string
  removed: Record<string, number>
  kept: string[]
  finished_at: string | null
}

type Cut = { cursor?: string; limit?: number }

export const users = {
  users: (query: Cut & { search?: string }, signal?: AbortSignal) => get<Page<User>>('/users', query, signal),
  /** Who of up to 1 000 ids is known. */
  lookup: (ids: readonly string[], signal?: AbortSignal) => send<{ data: { id: string; name: string | null; devices: number }[]; unknown: string[] }>('POST', '/users/lookup', { ids }, signal),
  user: (id: string, signal?: AbortSignal) => get<User>(path('users', id), {}, signal),
  putUser: (id: string, of: { attributes?: Record<string, unknown>; locale?: string; time_zone?: string }) => send<User>('PUT', path('users', id), of),
  /** What was sent to them, and what was not and why. */
  heard: (id: string, query: Cut, signal?: AbortSignal) => get<Page<Heard>>(path('users', id, 'deliveries'), { ...query, every: 'true' }, signal),
  heardOf: (id: string, notification: string, signal?: AbortSignal) => get<Heard>(path('users', id, 'deliveries', notification), {}, signal),
  preferences: (id: string, signal?: AbortSignal) => get<Preferences>(path('users', id, 'preferences'), { locale: language }, signal),
  topics: (id: string, query: Cut, signal?: AbortSignal) => get<Page<Topic>>(path('users', id, 'topics'), query, signal),
  exportUser: (id: string) => fetchFile(path('users', id, 'export'), { app: aboutApp() }),
  eraseUser: (id: string) => send<Erasure>('POST', path('users', id, 'erase')),
}
