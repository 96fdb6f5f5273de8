/** What was sent and what became of it, counted by day and by how it went. */

import { aboutApp, get } from './calls'

export type Dimension = 'day' | 'service' | 'browser' | 'reason' | 'source'

export interface StatsCounts {
  sent: number
  failed: number
  expired: number
  skipped: number
  shown: number
  clicked: number
  closed: number
  answered: number
}

export interface StatsLine extends StatsCounts {
  key: string
}

export interface Stats {
  from: string
  to: string
  by: Dimension
  data: StatsLine[]
  totals: StatsCounts
}

/** How often each step on the way to a subscription was taken. */
export interface FunnelCounts {
  seen: number
  banner: number
  later: number
  asked: number
  granted: number
  denied: number
  dismissed: number
  subscribed: number
}

export interface FunnelLine extends FunnelCounts {
  key: string
}

export interface Funnel {
  from: string
  to: string
  by: 'day' | 'browser'
  data: FunnelLine[]
  totals: FunnelCounts
}

/** Days of UTC, both counted in. */
export interface StatsSpan {
  from: string
  to: string
}

export const stats = {
  stats: (by: Dimension, { from, to }: StatsSpan, signal?: AbortSignal) => get<Stats>('/stats', { by, from, to }, signal),
  funnel: (by: Funnel['by'], { from, to }: StatsSpan, signal?: AbortSignal) => get<Funnel>('/stats/funnel', { by, from, to }, signal),
  /** What to ask for the same as a table for a spreadsheet. */
  statsFile: (by: Dimension, { from, to }: StatsSpan) => ({ by, from, to, format: 'csv', app: aboutApp() }),
}
