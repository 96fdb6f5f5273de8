/** What every noun of the API shares: which App requests are about, and lists in pages. */

import { call } from '../http'

export interface Page<T> {
  data: T[]
  next_cursor: string | null
}

type Query = Record<string, string | number | undefined>

let app: string | undefined

/** Say which App requests are about; only where there are several. */
export function about(id: string | undefined): void {
  app = id
}

/** The App that requests are about, undefined where there is one alone. */
export function aboutApp(): string | undefined {
  return app
}

export const path = (...parts: string[]) => parts.map((part) => `/${encodeURIComponent(part)}`).join('')

/** Read something of the App that is chosen. */
export function get<T>(route: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return call<T>(route, { query: { ...query, app }, ...(signal ? { signal } : {}) })
}

/** Change something of the App that is chosen. */
export function send<T>(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', route: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  return call<T>(route, { method, query: { app }, body, ...(signal ? { signal } : {}) })
}

/** Ask whether something of the App that is chosen can be deleted. */
export function checkNeedless(route: string): Promise<void> {
  return call<void>(route, { method: 'DELETE', query: { app, dry_run: 'true' } })
}

/** Read something of the instance, whichever App is chosen. */
export function getAny<T>(route: string, signal?: AbortSignal, query: Query = {}): Promise<T> {
  return call<T>(route, { query, ...(signal ? { signal } : {}) })
}

/** Change something of the instance or of oneself. */
export function sendAny<T>(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', route: string, body?: unknown): Promise<T> {
  return call<T>(route, { method, body })
}
