/** What happens at a site, and what is sent by itself because of it: event types, events, triggers. */

import { checkNeedless, get, type Page, path, send } from './calls'
import type { SaidContent, WordsBody } from './templates'

/** A JSON Schema of the kind that event types declare their variables with. */
export interface Schema {
  type?: string | string[]
  format?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
}

/** What people see an event type as in another language; null is as in its own words. */
export interface Naming {
  name: string | null
  description: string | null
  category: string | null
}

export interface EventTypeBody {
  name: string
  description: string
  category: string
  /** That of name, description and category. */
  language: string
  locales: Record<string, Naming>
  variables: Schema
  examples: Record<string, unknown>[]
  defaults: { push: boolean; feed: boolean }
  mandatory: boolean
}

export interface EventType extends EventTypeBody {
  key: string
  created_at: string
  updated_at: string
}

export type EventStatus = 'queued' | 'done' | 'failed'

export interface HappenedEvent {
  id: string
  type: string
  /** The id that its sender gave it. */
  key: string | null
  data: Record<string, unknown>
  users: string[]
  actor: string | null
  status: EventStatus
  fault: string | null
  replay_of: string | null
  occurred_at: string
  created_at: string
  done_at: string | null
}

export type FiringOutcome = 'fired' | 'suppressed' | 'waiting' | 'collected'

export interface Firing {
  event: string
  /** Empty where the trigger was deleted since. */
  trigger: string
  outcome: FiringOutcome
  reason: string
  notifications: string[]
  at: string
}

/** One rule of an audience; a union of several has `union`. */
export type RulePart =
  | { users: 'event' }
  | { users_where: unknown }
  | { followers: string }
  | { segment: string }
  | { everyone: true }

export type Rule = (RulePart | { union: RulePart[] }) & { except_actor?: boolean }

export interface TriggerBody {
  name: string
  event_type: string
  conditions: string | Record<string, unknown> | null
  audience: Rule
  template: string | WordsBody
  channels: string[] | null
  throttle: { key: string[]; count: number; window: number | null } | null
  delay: number
  unless: { event_type: string; key: string[] } | null
  digest: { window: number; key: string[] } | null
  urgency: string | null
  ttl: number | null
  enabled: boolean
}

/** What came of the newest events that a trigger's conditions held for. */
export interface Activity {
  fired: number
  suppressed: number
  waiting: number
  last_fired_at: string | null
}

export interface Trigger extends Omit<TriggerBody, 'template'> {
  id: string
  template: string | SaidContent
  conditions_text: string | null
  /** The audience with its conditions as texts. */
  audience_text: Rule
  activity: Activity
  created_at: string
  updated_at: string
}

export interface DryRun {
  event: string | null
  fires: boolean
  enabled: boolean
  conditions_hold: boolean
  because: string[]
  throttled: boolean
  fault: string | null
  delay: number
  digest: boolean
  paused: boolean
  held: string | null
  devices: number
  devices_exact: boolean
  unnamed: number
  people: { user: string; devices: number; language: string | null; title: string; body: string; url: string | null; put_off_until: string | null; bell: InBell | null }[]
  others: { user: string; why: string; detail: string; bell: InBell | null }[]
  more: boolean
}

export type InBell = { language: string | null; title: string; body: string }

export type DryRunBody = { event: string; about?: string[] } | { about?: string[]; data?: Record<string, unknown>; users?: string[]; actor?: string }

type Cut = { cursor?: string; limit?: number }

export const automation = {
  eventTypes: (query: Cut, signal?: AbortSignal) => get<Page<EventType>>('/event-types', query, signal),
  eventType: (key: string, signal?: AbortSignal) => get<EventType>(path('event-types', key), {}, signal),
  putEventType: (key: string, of: EventTypeBody) => send<EventType>('PUT', path('event-types', key), of),
  deleteEventType: (key: string) => send<void>('DELETE', path('event-types', key)),
  /** Fails as deleting it would, and deletes nothing. */
  checkEventTypeNeedless: (key: string) => checkNeedless(path('event-types', key)),

  events: (query: Cut & { type?: string; user?: string; status?: string }, signal?: AbortSignal) => get<Page<HappenedEvent>>('/events', query, signal),
  event: (id: string, signal?: AbortSignal) => get<HappenedEvent & { firings: Firing[] }>(path('events', id), {}, signal),
  replay: (id: string) => send<{ id: string }>('POST', path('events', id, 'replay')),

  triggers: (query: Cut & { event_type?: string }, signal?: AbortSignal) => get<Page<Trigger>>('/triggers', query, signal),
  trigger: (id: string, signal?: AbortSignal) => get<Trigger>(path('triggers', id), {}, signal),
  createTrigger: (of: TriggerBody) => send<Trigger>('POST', '/triggers', of),
  replaceTrigger: (id: string, of: TriggerBody) => send<Trigger>('PUT', path('triggers', id), of),
  deleteTrigger: (id: string) => send<void>('DELETE', path('triggers', id)),
  firings: (id: string, query: Cut, signal?: AbortSignal) => get<Page<Firing>>(path('triggers', id, 'firings'), query, signal),
  dryRun: (id: string, of: DryRunBody) => send<DryRun>('POST', path('triggers', id, 'dry-run'), of),
}
