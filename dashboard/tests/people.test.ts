import { describe, expect, it } from 'vitest'

import { idsFrom, joined, LONGEST, MOST, standingsOf } from '../src/lib/people'

describe('ids of a pasted list', () => {
  it('stand between commas, semicolons, spaces, tabs and lines, each once', () => {
    expect(idsFrom('u-1, u-2;u-3 u-4\tu-5\r\nu-6\n\nu-1')).toEqual(['u-1', 'u-2', 'u-3', 'u-4', 'u-5', 'u-6'])
    expect(idsFrom(' \n, ')).toEqual([])
  })

  it('may be quoted, as a column of a table has them', () => {
    expect(idsFrom('"u-1"\n"Anna Berger"\n"say ""hi"", Jo"\n""')).toEqual(['u-1', 'Anna Berger', 'say "hi", Jo'])
    expect(idsFrom('u-1 "half')).toEqual(['u-1', 'half'])
  })

  it('are e-mail addresses, numbers or whatever else', () => {
    expect(idsFrom('anna@example.com,17,auth0|5f,ö/ß,\u00a0x')).toEqual(['anna@example.com', '17', 'auth0|5f', 'ö/ß', 'x'])
  })
})

describe('people put to others', () => {
  it('are there once', () => {
    expect(joined(['a', 'b'], ['b', 'c'])).toEqual({ ids: ['a', 'b', 'c'], added: ['c'], long: 0, over: 0 })
  })

  it('are as many as the server takes, and what was left out is told', () => {
    const many = [...Array(MOST + 3).keys()].map(String)
    const { ids, added, long, over } = joined(['0', 'x'], [...many, 'y'.repeat(LONGEST + 1)])
    expect([ids.length, added.length, long, over]).toEqual([MOST, MOST - 2, 1, 4])
    expect(joined(many, ['new']).ids).toEqual(many)
  })
})

describe('who they are', () => {
  it('is said of each; those to look at stand first, the others as they came', () => {
    const known = new Map([['a', { id: 'a', name: 'Anna', devices: 2 }], ['b', { id: 'b', name: null, devices: 0 }], ['c', { id: 'c', name: 'Cy', devices: 1 }]])
    const { people, unknown, without } = standingsOf(['c', 'new', 'b', 'a', 'x'], known, new Set(['x', 'gone']))
    expect(people.map(({ name, standing }) => [name, standing])).toEqual([['x', 'unknown'], ['b', 'without'], ['Cy', 'reached'], ['new', 'asked'], ['Anna', 'reached']])
    expect([unknown, without]).toEqual([['x'], ['b']])
  })
})
