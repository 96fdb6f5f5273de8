import { describe, expect, it } from 'vitest'

import { forgetDrafts, isWritten, keepDraft, keptDraft, shelfOf } from '../src/lib/draft'
import { EMPTY_CHOICE, EMPTY_DRAFT } from '../src/lib/message'

function shelf(of: Record<string, string> = {}): () => Storage {
  const kept = new Map(Object.entries(of))
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => void kept.set(name, value), removeItem: (name: string) => void kept.delete(name),
    key: (at: number) => [...kept.keys()][at] ?? null, clear: () => kept.clear(), get length() { return kept.size },
  }
  return () => storage
}

describe('a draft', () => {
  const mine = shelfOf('app_1', 'mem_1')

  it('is of one member and one App', () => {
    const storage = shelf()
    keepDraft(mine, { at: 7, draft: { ...EMPTY_DRAFT, title: 'Late' }, choice: EMPTY_CHOICE }, storage)
    expect(keptDraft(mine, storage)).toEqual({ at: 7, draft: { ...EMPTY_DRAFT, title: 'Late' }, choice: EMPTY_CHOICE })
    expect(keptDraft(shelfOf('app_1', 'mem_2'), storage)).toBeUndefined()
    expect(keptDraft(shelfOf('app_2', 'mem_1'), storage)).toBeUndefined()
    keepDraft(mine, undefined, storage)
    expect(keptDraft(mine, storage)).toBeUndefined()
  })

  it('is read as far as it can be: another version may have kept it', () => {
    const storage = shelf({ [mine]: '{"at": 7, "draft": {"title": "Late", "body": 4, "locales": "de", "actions": null, "gone": true}}' })
    expect(keptDraft(mine, storage)?.draft).toEqual({ ...EMPTY_DRAFT, title: 'Late' })
    for (const broken of ['', 'null', '{', '"text"', '[]']) expect(keptDraft(mine, shelf({ [mine]: broken }))?.draft ?? EMPTY_DRAFT).toEqual(EMPTY_DRAFT)
  })

  it('is forgotten with all others, and nothing else is', () => {
    const storage = shelf({ 'tidings.app': 'app_1', [mine]: '{}', [shelfOf('app_2', 'mem_2')]: '{}' })
    forgetDrafts(storage)
    expect([...Array(storage().length).keys()].map((at) => storage().key(at))).toEqual(['tidings.app'])
  })

  it('does no harm where storage is blocked', () => {
    const blocked = (): Storage => {
      throw new Error('denied')
    }
    keepDraft(mine, undefined, blocked)
    forgetDrafts(blocked)
    expect(keptDraft(mine, blocked)).toBeUndefined()
  })

  it('is worth keeping once anything was written or chosen', () => {
    expect(isWritten(structuredClone(EMPTY_DRAFT), structuredClone(EMPTY_CHOICE))).toBe(false)
    expect(isWritten({ ...EMPTY_DRAFT, body: 'x' }, EMPTY_CHOICE)).toBe(true)
    expect(isWritten({ ...EMPTY_DRAFT, ttl: 300 }, EMPTY_CHOICE)).toBe(true)
    expect(isWritten(EMPTY_DRAFT, { ...EMPTY_CHOICE, kind: 'tag' })).toBe(true)
  })
})
