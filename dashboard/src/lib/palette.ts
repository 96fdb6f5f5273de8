/** What the palette finds: pages, things to make, Apps, notifications and people; pure, so that it can be tried. */

export interface Hit {
  id: string
  group: string
  label: string
  /** What is said beside it. */
  more?: string
  href?: string
  run?: () => void
}

/** How well words fit what is looked for; undefined where they do not. Less is better. */
export function fit(words: string, sought: string): number | undefined {
  const text = words.toLowerCase()
  const wanted = sought.trim().toLowerCase()
  if (!wanted) return 0
  if (text.startsWith(wanted)) return 0
  if (new RegExp(`\\b${wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(text)) return 1
  if (wanted.split(/\s+/).every((word) => text.includes(word))) return 2
  return undefined
}

/** The hits that fit, the best first, those of the same rank in their order. */
export function ranked(hits: readonly Hit[], sought: string): Hit[] {
  return hits
    .map((hit) => ({ hit, rank: fit(`${hit.label} ${hit.more ?? ''}`, sought) }))
    .filter((one): one is { hit: Hit; rank: number } => one.rank !== undefined)
    .sort((one, other) => one.rank - other.rank)
    .map(({ hit }) => hit)
}

/** Where an arrow leads among so many hits. */
export function moved(at: number, key: string, count: number): number {
  if (count === 0) return 0
  if (key === 'ArrowDown') return (at + 1) % count
  if (key === 'ArrowUp') return (at - 1 + count) % count
  return at
}
