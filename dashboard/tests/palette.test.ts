import { describe, expect, it } from 'vitest'

import { fit, type Hit, moved, ranked } from '../src/lib/palette'

const hit = (label: string, more?: string): Hit => ({ id: label, group: 'Pages', label, ...(more ? { more } : {}) })

describe('palette', () => {
  it('puts what begins so before what has it within, and leaves out the rest', () => {
    const rows = [hit('Push Notifications'), hit('Notifications'), hit('Audit'), hit('Announcement of notices')]
    expect(ranked(rows, 'not').map(({ label }) => label)).toEqual(['Notifications', 'Push Notifications', 'Announcement of notices'])
  })

  it('finds words in any order, and by what stands beside', () => {
    expect(fit('Push Notifications', 'notif push')).toBe(2)
    expect(ranked([hit('Museum of Fog', 'App')], 'app')).toHaveLength(1)
  })

  it('takes signs of expressions as they are', () => {
    expect(fit('C++ (beta)', 'c++ (')).toBe(0)
    expect(fit('a', '[')).toBeUndefined()
  })

  it('goes round at both ends', () => {
    expect([moved(0, 'ArrowUp', 3), moved(2, 'ArrowDown', 3), moved(1, 'Home', 3), moved(0, 'ArrowDown', 0)]).toEqual([2, 0, 1, 0])
  })
})
