/** The audit log: who did what, when, from where. */

import { address } from '../http'
import { getAny, type Page } from './calls'

export interface Party {
  kind: string
  id: string | null
  name: string | null
}

export interface Entry {
  id: string | number
  at: string
  actor: Party
  action: string
  subject: Party | null
  detail: Record<string, unknown>
  address: string | null
}

export interface AuditQuery {
  app?: string | undefined
  actor?: string | undefined
  action?: string | undefined
  after?: string | undefined
  before?: string | undefined
}

export type Verdict = { ok: true; entries: number; removed: number; head: string } | { ok: false; broken_at: string | number }

export const audit = {
  audit: (query: AuditQuery & { cursor?: string }, signal?: AbortSignal) => getAny<Page<Entry>>('/audit', signal, { ...query }),
  verifyAudit: () => getAny<Verdict>('/audit/verify'),
  auditExport: (query: AuditQuery, format: 'csv' | 'ndjson') => address('/audit/export', { ...query, format }),
}
