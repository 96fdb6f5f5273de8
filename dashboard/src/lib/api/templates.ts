/** Templates: words with gaps, in several languages, and what they look like filled in. */

import { checkNeedless, get, type Page, path, send } from './calls'
import type { Urgency } from './notifications'

export interface Action {
  id: string
  title: string
  url?: string | null
}

/** What differs in another language; what is absent is as in the template itself. */
export interface Variant {
  title?: string | null
  body?: string | null
  url?: string | null
  actions?: Record<string, string>
}

/** Words in Liquid, as they are sent to be kept. */
export interface WordsBody {
  language: string
  title: string
  body: string
  url: string | null
  icon: string | null
  image: string | null
  badge_count: number | null
  actions: Action[]
  ttl: number
  urgency: Urgency
  collapse_id: string | null
  data: Record<string, unknown>
  locales: Record<string, Variant>
  platforms: Record<string, unknown>
}

/** Words as they are kept. */
export type SaidContent = WordsBody

export type TemplateBody = WordsBody & { name: string; event_type: string | null }

export interface Template extends TemplateBody {
  id: string
  version: number
  created_at: string
  updated_at: string
}

interface Fault {
  field: string
  message: string
}

/** What a template says in one language; `error` says why it would not be sent. */
export interface Shown {
  language: string
  title: string | null
  body: string | null
  url: string | null
  icon: string | null
  image: string | null
  actions: Action[]
  error: Fault | null
  warnings: Fault[]
}

export interface Preview {
  variables: Record<string, unknown>
  languages: Shown[]
}

/** What a preview is filled with: the type's first example unless it says otherwise. */
export interface Filling {
  variables?: Record<string, unknown>
  event?: string
  user?: string
}

export const templates = {
  templates: (query: { cursor?: string; limit?: number }, signal?: AbortSignal) => get<Page<Template>>('/templates', query, signal),
  template: (id: string, signal?: AbortSignal) => get<Template>(path('templates', id), {}, signal),
  createTemplate: (of: TemplateBody) => send<Template>('POST', '/templates', of),
  replaceTemplate: (id: string, of: TemplateBody) => send<Template>('PUT', path('templates', id), of),
  deleteTemplate: (id: string) => send<void>('DELETE', path('templates', id)),
  /** Fails as deleting it would, and deletes nothing. */
  checkTemplateNeedless: (id: string) => checkNeedless(path('templates', id)),
  previewWords: (words: WordsBody, of: Filling & { event_type?: string }, signal?: AbortSignal) => send<Preview>('POST', '/templates/preview', { template: words, ...of }, signal),
  previewTemplate: (id: string, of: Filling, signal?: AbortSignal) => send<Preview>('POST', path('templates', id, 'preview'), of, signal),
}
