import english from 'emoji-picker-element-data/en/emojibase/data.json'
import { describe, expect, it } from 'vitest'

import { type Emoji, GROUPS, matching } from '../src/lib/emoji'

const all = english as readonly Emoji[]
const found = (typed: string, most = 64) => matching(all, typed, most).map(({ annotation }) => annotation)

describe('matching', () => {
  it('finds by the beginnings of words, of the name or of a tag', () => {
    expect(found('fish')).toContain('fish')
    expect(found('fis')).toContain('fishing pole')
    expect(found('birthday ca')).toContain('birthday cake')
  })

  it('needs every word, whatever its case and accents', () => {
    expect(found('birthday fish')).toEqual([])
    expect(found('BIRTHDÁY')).toContain('birthday cake')
  })

  it('gives no more than are wanted', () => {
    expect(found('face', 5)).toHaveLength(5)
  })
})

it('has a group for every emoji but the pieces', () => {
  const named = new Set([...GROUPS.map(([group]) => group), 2])
  expect(all.filter(({ group }) => !named.has(group))).toEqual([])
})
