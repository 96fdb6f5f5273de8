/** Words in Liquid as they are edited: every field a text, languages in a list; made of and into the API's body. */

import type { Action, Urgency, WordsBody } from './api'
import type { Problem } from './http'
import { language } from './language'

export interface VariantDraft {
  tag: string
  title: string
  body: string
  url: string
  /** Titles of buttons by their id. */
  actions: Record<string, string>
}

/** Begin with another language. */
export function emptyVariant(tag: string): VariantDraft {
  return { tag, title: '', body: '', url: '', actions: {} }
}

export interface WordsDraft {
  language: string
  title: string
  body: string
  url: string
  icon: string
  image: string
  collapseId: string
  ttl: number
  urgency: Urgency
  actions: { id: string; title: string; url: string }[]
  locales: VariantDraft[]
  /** What is kept as it is: this form does not show it. */
  rest: Pick<WordsBody, 'badge_count' | 'data' | 'platforms'>
}

export const MOST_ACTIONS = 2

export function emptyWords(language = 'en'): WordsDraft {
  return {
    language, title: '', body: '', url: '', icon: '', image: '', collapseId: '', ttl: 86_400, urgency: 'normal', actions: [], locales: [],
    rest: { badge_count: null, data: {}, platforms: {} },
  }
}

/** Edit what is kept. */
export function draftFrom(of: WordsBody): WordsDraft {
  return {
    language: of.language, title: of.title, body: of.body, url: of.url ?? '', icon: of.icon ?? '', image: of.image ?? '', collapseId: of.collapse_id ?? '',
    ttl: of.ttl, urgency: of.urgency, actions: of.actions.map(({ id, title, url }) => ({ id, title, url: url ?? '' })),
    locales: Object.entries(of.locales).map(([tag, one]) => ({ tag, title: one.title ?? '', body: one.body ?? '', url: one.url ?? '', actions: { ...one.actions } })),
    rest: { badge_count: of.badge_count, data: of.data, platforms: of.platforms },
  }
}

/** An id for a button, from its title: people need not think of one. */
export function actionId(title: string, taken: readonly string[], otherwise: string): string {
  const plain = title.toLowerCase().replace(/\{[{%].*?[}%]\}/g, '').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 32) || otherwise
  let id = plain
  for (let n = 2; taken.includes(id); n += 1) id = `${plain}-${n}`
  return id
}

/** The body that is sent: what is empty is left to its default. */
export function wordsFrom(draft: WordsDraft): WordsBody {
  const actions: Action[] = []
  const renamed = new Map<string, string>()
  for (const [at, one] of draft.actions.entries()) {
    if (!one.title.trim()) continue
    const id = one.id || actionId(one.title, actions.map(({ id }) => id), `button-${at + 1}`)
    renamed.set(one.id || String(at), id)
    actions.push({ id, title: one.title.trim(), url: one.url.trim() || null })
  }
  const locales = draft.locales.map((one) => {
    const titles = Object.entries(one.actions).flatMap(([key, title]) => (title.trim() && renamed.has(key) ? [[renamed.get(key)!, title.trim()] as const] : []))
    return [one.tag, { title: one.title.trim() || null, body: one.body.trim() || null, url: one.url.trim() || null, actions: Object.fromEntries(titles) }] as const
  })
  return {
    ...draft.rest, language: draft.language, title: draft.title.trim(), body: draft.body.trim(), url: draft.url.trim() || null, icon: draft.icon.trim() || null,
    image: draft.image.trim() || null, collapse_id: draft.collapseId.trim() || null, ttl: draft.ttl, urgency: draft.urgency, actions, locales: Object.fromEntries(locales),
  }
}

/** The key under which a variant keeps the title of a button that may have no id yet. */
export function actionKey(draft: WordsDraft, at: number): string {
  return draft.actions[at]?.id || String(at)
}

/** What a Problem says of a field or of something within it; `fields` are tried in their order. */
export function faultIn(problem: Problem | undefined, ...fields: string[]): string | undefined {
  for (const field of fields) {
    const found = problem?.faults.find((fault) => fault.field === field || fault.field.startsWith(`${field}.`))
    if (found) return found.message
  }
  return undefined
}

/** Whether a Problem names any field: then the page has said it at that field. */
export function isAtFields(problem: Problem | undefined, fields: readonly string[]): boolean {
  return problem !== undefined && problem.faults.length > 0 && problem.faults.every((fault) => fields.some((field) => fault.field === field || fault.field.startsWith(`${field}.`)))
}

const NAMES = typeof Intl.DisplayNames === 'function' ? new Intl.DisplayNames([language], { type: 'language' }) : undefined

/** "German (de)"; a tag that is none stays as it is. */
export function languageName(tag: string): string {
  try {
    const name = NAMES?.of(tag.replace('_', '-'))
    return name && name !== tag ? name : tag
  } catch {
    return tag
  }
}

export function isLanguage(tag: string): boolean {
  return /^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$/.test(tag)
}

/** The languages that most sites begin with; any other can be typed. */
export const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'ru', 'uk', 'tr', 'ar', 'ja', 'ko', 'zh', 'hi', 'sv', 'cs'] as const
