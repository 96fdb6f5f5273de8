/** What people see an event type as, in its languages, as it is edited: made of and into the API's body. */

import type { EventTypeBody } from './api'

export interface NamingDraft {
  tag: string
  name: string
  description: string
  category: string
}

export interface NamesDraft {
  language: string
  name: string
  description: string
  category: string
  locales: NamingDraft[]
}

type Names = Pick<EventTypeBody, 'name' | 'description' | 'category' | 'language' | 'locales'>

export function emptyNames(): NamesDraft {
  return { language: 'en', name: '', description: '', category: '', locales: [] }
}

/** Edit what is kept. */
export function namesDraft(of: Names): NamesDraft {
  const { language, name, description, category } = of
  const locales = Object.entries(of.locales).map(([tag, one]) => ({ tag, name: one.name ?? '', description: one.description ?? '', category: one.category ?? '' }))
  return { language, name, description, category, locales }
}

/** The body that is sent: what is empty in another language is as in the own one. */
export function namesFrom(draft: NamesDraft): Names {
  const locales = draft.locales.map(
    ({ tag, name, description, category }) => [tag, { name: name.trim() || null, description: description.trim() || null, category: category.trim() || null }] as const,
  )
  return { language: draft.language, name: draft.name.trim(), description: draft.description.trim(), category: draft.category.trim(), locales: Object.fromEntries(locales) }
}
