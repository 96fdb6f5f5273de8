/** Emoji to choose from: their data is a file of ours that is fetched when a picker is opened first. */

import german from 'emoji-picker-element-data/de/cldr-native/data.json?url'
import english from 'emoji-picker-element-data/en/emojibase/data.json?url'

export interface Emoji {
  emoji: string
  /** What screen readers call it. */
  annotation: string
  tags?: readonly string[]
  /** Of `GROUPS`; 2 are pieces such as skin tones. */
  group: number
  /** Of the Emoji standard. */
  version: number
}

/** The newest version of the standard that is offered: phones of 2022 draw it, and an older one shows a box for what is newer. */
const NEWEST = 14

export const GROUPS: readonly [group: number, sign: string, name: string][] = [
  [0, '😀', 'Smileys'],
  [1, '👋', 'People'],
  [3, '🐻', 'Animals and nature'],
  [4, '🍎', 'Food and drink'],
  [5, '✈️', 'Travel and places'],
  [6, '⚽', 'Activities'],
  [7, '💡', 'Objects'],
  [8, '❤️', 'Symbols'],
  [9, '🏁', 'Flags'],
]

let loading: Promise<readonly Emoji[]> | undefined

/** Fetch them, once. */
export function emojis(): Promise<readonly Emoji[]> {
  loading ??= fetch(document.documentElement.lang.startsWith('de') ? german : english)
    .then((answer) => {
      if (!answer.ok) throw new Error(`The emoji answered ${answer.status}`)
      return answer.json() as Promise<Emoji[]>
    })
    .then((all) => all.filter(({ group, version }) => group !== 2 && version <= NEWEST))
    .catch((reason: unknown) => {
      loading = undefined
      throw reason
    })
  return loading
}

const plain = (text: string) => text.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '')

/** Those of which every word typed begins a word of their name or of a tag. */
export function matching(all: readonly Emoji[], typed: string, most: number): Emoji[] {
  const wanted = plain(typed).split(/\s+/).filter(Boolean)
  const found: Emoji[] = []
  for (const one of all) {
    const words = plain([one.annotation, ...(one.tags ?? [])].join(' ')).split(/[^\p{L}\p{N}]+/u)
    if (wanted.every((part) => words.some((word) => word.startsWith(part)))) found.push(one)
    if (found.length === most) break
  }
  return found
}

/** Put text where the caret of a field is, in place of what is selected there. */
export function insertAt(field: HTMLInputElement | HTMLTextAreaElement, text: string): void {
  field.setRangeText(text, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, 'end')
  field.dispatchEvent(new Event('input', { bubbles: true }))
}
