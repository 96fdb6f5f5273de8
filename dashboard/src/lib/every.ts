/** Lists that are needed whole, such as what a form chooses from. */

import type { Page } from './api'

const MOST = 1000

/** Read a list over all its pages, up to 1 000 rows. */
export async function every<T>(read: (query: { limit: number; cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = []
  for (let cursor: string | null = null; rows.length < MOST; ) {
    const page: Page<T> = await read({ limit: 200, ...(cursor ? { cursor } : {}) })
    rows.push(...page.data)
    cursor = page.next_cursor
    if (!cursor) break
  }
  return rows
}
