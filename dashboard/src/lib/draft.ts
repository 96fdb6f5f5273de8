/** What was written on Send Push and not sent yet: kept in this browser for each App and each member, until it is sent, discarded or they sign out. */

import { type Choice, type Draft, EMPTY_CHOICE, EMPTY_DRAFT } from './message'

const PREFIX = 'tidings.draft.'

export interface Kept {
  /** When it was changed last, in milliseconds. */
  at: number
  draft: Draft
  choice: Choice
}

type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

/** Whose draft it is, and of which App: nobody else who signs in here is shown it. */
export const shelfOf = (app: string | undefined, member: string | undefined) => `${PREFIX}${app ?? ''}.${member ?? ''}`

/** Whether anything was written or chosen that would be missed. */
export function isWritten(draft: Draft, choice: Choice): boolean {
  const { ttl, urgency, asks, ...words } = EMPTY_DRAFT
  return draft.asks !== asks || draft.ttl !== ttl || draft.urgency !== urgency || JSON.stringify({ ...words, ...pick(draft, words) }) !== JSON.stringify(words) || JSON.stringify(pick(choice, EMPTY_CHOICE)) !== JSON.stringify(EMPTY_CHOICE)
}

/** The members of `like` as `of` has them, in the order of `like`. */
function pick<T extends object>(of: T | Partial<T>, like: Partial<T>): Partial<T> {
  return Object.fromEntries(Object.keys(like).map((key) => [key, of[key as keyof T]])) as Partial<T>
}

/** What `like` has, from what was read wherever it is of the same kind: an older version may have kept something else. */
function fitted<T extends object>(read: unknown, like: T): T {
  const from = (typeof read === 'object' && read !== null ? read : {}) as Record<string, unknown>
  const same = (one: unknown, other: unknown) => typeof one === typeof other && Array.isArray(one) === Array.isArray(other)
  return Object.fromEntries(Object.entries(like).map(([key, value]) => [key, same(from[key], value) && from[key] !== null ? from[key] : structuredClone(value)])) as T
}

/** Read what is kept; undefined where nothing is, or nothing that can be read. */
export function keptDraft(shelf: string, storage: () => Shelf = () => localStorage): Kept | undefined {
  try {
    const read = JSON.parse(storage().getItem(shelf) ?? 'null') as Record<string, unknown> | null
    if (!read) return undefined
    return { at: Number(read.at) || 0, draft: fitted(read.draft, EMPTY_DRAFT), choice: fitted(read.choice, EMPTY_CHOICE) }
  } catch {
    // Storage is blocked, or holds something else.
    return undefined
  }
}

/** Keep it, or forget it. */
export function keepDraft(shelf: string, of: Kept | undefined, storage: () => Shelf = () => localStorage): void {
  try {
    if (of) storage().setItem(shelf, JSON.stringify(of))
    else storage().removeItem(shelf)
  } catch {
    // Storage is blocked or full: what was written is there until the page is left.
  }
}

/** Forget every draft of this browser: whoever comes after one who signed out finds none. */
export function forgetDrafts(storage: () => Shelf = () => localStorage): void {
  try {
    const all = storage()
    const kept = Array.from({ length: all.length }, (_, at) => all.key(at))
    for (const name of kept) if (name?.startsWith(PREFIX)) all.removeItem(name)
  } catch {
    // Storage is blocked: nothing was kept.
  }
}
