/** Segments, and conditions that are kept nowhere yet. */

import type { Conditions } from '../filters'
import { checkNeedless, get, type Page, path, send } from './calls'

export interface Segment {
  id: string
  name: string
  conditions: Conditions
  conditions_text: string
  created_at: string
  updated_at: string
}

/** How many devices conditions hold for; not exact where it is reckoned from a part of very many. */
export interface SegmentCount {
  count: number
  exact: boolean
}

/** Conditions in both of their forms. */
export interface ReadConditions {
  conditions: Conditions
  conditions_text: string
}

export type Place = 'segment' | 'trigger'

export const segments = {
  segments: (query: { cursor?: string; limit?: number }, signal?: AbortSignal) => get<Page<Segment>>('/segments', query, signal),
  segment: (id: string, signal?: AbortSignal) => get<Segment>(path('segments', id), {}, signal),
  segmentCount: (id: string, signal?: AbortSignal) => get<SegmentCount>(`${path('segments', id)}/count`, {}, signal),
  countConditions: (conditions: Conditions, signal?: AbortSignal) => send<SegmentCount>('POST', '/segments/count', { conditions }, signal),
  createSegment: (of: { name: string; conditions: Conditions }) => send<Segment>('POST', '/segments', of),
  updateSegment: (id: string, of: { name?: string; conditions?: Conditions }) => send<Segment>('PATCH', path('segments', id), of),
  deleteSegment: (id: string) => send<void>('DELETE', path('segments', id)),
  /** Fails as deleting it would, and deletes nothing. */
  checkSegmentNeedless: (id: string) => checkNeedless(path('segments', id)),
  readConditions: (conditions: Conditions | string, place: Place, signal?: AbortSignal) => send<ReadConditions>('POST', '/conditions', { conditions, place }, signal),
}
