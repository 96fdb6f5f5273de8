/** The people of an audience, by the App's own ids: read from what was pasted, and put in the order in which they are shown. */

/** Characters of an id, and ids that one notification may name: the server refuses more. */
export const LONGEST = 200
export const MOST = 10_000

/** Somebody who is known. */
export interface Known {
  id: string
  name: string | null
  devices: number
}

export interface Person {
  id: string
  /** What they are called; their id where they have no name. */
  name: string
  /** Not yet looked up, unknown, known without a device that could get it, or known with one. */
  standing: 'asked' | 'unknown' | 'without' | 'reached'
}

export interface Standings {
  people: Person[]
  unknown: string[]
  without: string[]
}

/** Ids of a pasted list: between commas, semicolons, spaces and lines; in quotes, as a table has them, they may hold any of these. */
export function idsFrom(text: string): string[] {
  const found = [...text.matchAll(/"((?:[^"]|"")*)"|[^\s,;"\0]+/g)].map(([whole, quoted]) => (quoted === undefined ? whole : quoted.replaceAll('""', '"').trim()))
  return [...new Set(found.filter(Boolean))]
}

/** Put more ids to those there are, each once; what is too long, or too many, is left out and told. */
export function joined(ids: readonly string[], more: readonly string[]): { ids: string[]; added: string[]; long: number; over: number } {
  const there = new Set(ids)
  const fitting = more.filter((id) => id.length <= LONGEST)
  const fresh = fitting.filter((id) => !there.has(id))
  const added = fresh.slice(0, Math.max(0, MOST - ids.length))
  return { ids: [...ids, ...added], added, long: more.length - fitting.length, over: fresh.length - added.length }
}

const PLACES = { unknown: 0, without: 1, asked: 2, reached: 2 } as const

/** Say of each id whose it is. Those to look at stand first: unknown ones, then people without a device. */
export function standingsOf(ids: readonly string[], known: ReadonlyMap<string, Known>, unknown: ReadonlySet<string>): Standings {
  const people = ids.map((id): Person => {
    const one = known.get(id)
    if (one) return { id, name: one.name ?? id, standing: one.devices ? 'reached' : 'without' }
    return { id, name: id, standing: unknown.has(id) ? 'unknown' : 'asked' }
  })
  const those = (standing: Person['standing']) => people.filter((one) => one.standing === standing).map(({ id }) => id)
  return { people: people.sort((one, other) => PLACES[one.standing] - PLACES[other.standing]), unknown: those('unknown'), without: those('without') }
}
