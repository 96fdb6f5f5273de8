/** One way to call the REST API: JSON in, JSON out, and every failure a Problem that says how to mend it. */

export interface FieldFault {
  field: string
  message: string
}

/** What went wrong, in the words of the error catalogue (application/problem+json). */
export class Problem extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly mend: string
  readonly link: string | null
  readonly faults: readonly FieldFault[]
  /** Seconds to wait before it can be tried again, undefined where the server names none. */
  readonly after: number | undefined

  constructor(of: {
    code: string; status: number; title: string; detail?: string; mend?: string; link?: string | null; faults?: readonly FieldFault[]; after?: number | undefined
  }) {
    super(of.title)
    this.name = 'Problem'
    this.code = of.code
    this.status = of.status
    this.title = of.title
    this.detail = of.detail && of.detail !== of.title ? of.detail : ''
    this.mend = of.mend ?? ''
    this.link = of.link ?? null
    this.faults = of.faults ?? []
    this.after = of.after
  }

  /** The fault of one field, or undefined. */
  fault(field: string): string | undefined {
    return this.faults.find((fault) => fault.field === field)?.message
  }
}

export const UNREACHABLE = new Problem({
  code: 'unreachable',
  status: 0,
  title: 'The server does not answer',
  detail: 'It may be restarting, or this device may be offline.',
  mend: 'Check that `tidings up` is running, then try again.',
})

/** Title and way out of a refusal by its code, in the language of the page. */
type Refusals = Readonly<Record<string, readonly [title: string, mend: string]>>

let ours: Refusals = {}

/** Say titles and ways out in these words, and what is not among them as the server does. */
export function sayIn(refusals: Refusals): void {
  ours = refusals
}

/** Read a Problem out of an answer, whatever its body is. */
export function problemFrom(status: number, body: unknown, retryAfter: string | null = null): Problem {
  const of = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = (key: string) => (typeof of[key] === 'string' ? of[key] : '')
  const [title, mend] = (Object.hasOwn(ours, text('code')) && ours[text('code')]) || [text('title'), text('mend')]
  return new Problem({
    code: text('code') || `http_${status}`,
    status,
    title: title || (status >= 500 ? 'The server failed' : `The server refused with ${status}`),
    detail: text('detail') === text('title') ? '' : text('detail'),
    mend: mend || (status >= 500 ? 'Try again; the log of the server says what happened.' : ''),
    link: text('type').startsWith('http') || text('type').startsWith('/') ? text('type') : null,
    faults: Array.isArray(of.errors) ? (of.errors as FieldFault[]) : [],
    after: retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined,
  })
}

/** What a person decided when asked who they are: nothing was changed. */
export const UNCONFIRMED = new Problem({
  code: 'not_confirmed',
  status: 0,
  title: 'Nothing was changed',
  detail: 'This needs you to confirm that it is you.',
  mend: 'Try again, and confirm it with your password, a code or a passkey.',
})

/** Something that was asked for when the session had ended, once its person is back. */
export const ENDED = new Problem({
  code: 'session_ended',
  status: 0,
  title: 'Nothing was changed: your session had ended',
  detail: 'You are signed in again, and what you wrote is still here.',
  mend: 'Press it once more.',
})

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  query?: Record<string, string | number | undefined>
  body?: unknown
  /** Sent as it is, in place of a body. */
  file?: Blob
  headers?: Record<string, string>
  signal?: AbortSignal
}

export const BASE = '/api/v1'

/** The address of a route with its query; empty values are left out. */
export function address(path: string, query: Call['query'] = {}): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined && pair[1] !== '')
  const search = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()
  return `${BASE}${path}${search ? `?${search}` : ''}`
}

let onSignedOut: () => Promise<boolean> | undefined | void = () => {}
let confirmed: () => Promise<boolean> = async () => false

/** Say what happens when the server no longer knows the session; it may give when the same person is back. */
export function whenSignedOut(then: () => Promise<boolean> | undefined | void): void {
  onSignedOut = then
}

/** Say how a person confirms that it is them; true once they did, false when they would not. */
export function whenUnconfirmed(ask: () => Promise<boolean>): void {
  confirmed = ask
}

const REAUTHENTICATE = 'reauthentication_required'
// The doors answer 401 too, with codes of their own: nobody was signed in who could be signed out.
const SIGNED_OUT = ['unauthorized', 'http_401']

/** Call the API; throws a Problem, or the AbortError of `signal`. What needs a fresh confirmation is asked for and repeated. */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  return (await answered(path, options)).read as T
}

/** Fetch a file with its name, which the caller saves; fails as `call` does. */
export async function fetchFile(path: string, query: Call['query'] = {}): Promise<{ name: string; blob: Blob }> {
  const { answer, text } = await answered(path, { query, headers: { accept: '*/*' } })
  const named = /filename="?([^";]+)"?/.exec(answer.headers.get('content-disposition') ?? '')?.[1]
  const type = answer.headers.get('content-type') ?? 'text/plain'
  return { name: named ?? path.split('/').at(-1)!, blob: new Blob([text], { type }) }
}

async function answered(path: string, options: Call, again = true): Promise<{ answer: Response; text: string; read: unknown }> {
  const answer = await fetched(path, options)
  const text = await answer.text()
  let read: unknown
  try {
    read = text ? JSON.parse(text) : undefined
  } catch {
    // Not ours: a proxy's page, or a file. The status is all that can be told.
    read = undefined
  }
  if (answer.ok) return { answer, text, read }
  const problem = problemFrom(answer.status, read, answer.headers.get('retry-after'))
  if (problem.code === REAUTHENTICATE && again) {
    if (!(await confirmed())) throw UNCONFIRMED
    return answered(path, options, false)
  }
  if (answer.status === 401 && SIGNED_OUT.includes(problem.code) && path !== '/session') {
    const back = onSignedOut()
    // What is only read is asked for again. What changes something is pressed again: who signs in may have other plans by then.
    if (back && (await back)) {
      if ((options.method ?? 'GET') === 'GET' && again) return answered(path, options, false)
      throw ENDED
    }
  }
  throw problem
}

let writes = 0

/** How often something was changed, or may have been: what was read before the last time is old. */
export function written(): number {
  return writes
}

let leaving = false

/** Begin a work as the page is being left: nobody waits for its answers any more. */
export function whileLeaving(work: () => Promise<unknown>): void {
  leaving = true
  void work()
  leaving = false
}

async function fetched(path: string, { method = 'GET', query, body, file, headers = {}, signal }: Call): Promise<Response> {
  const init: RequestInit = { method, headers: { accept: 'application/json', ...headers }, credentials: 'same-origin' }
  if (method !== 'GET') writes++
  // What is deleted stays deleted, also when the page is closed at that moment. With a service worker in between Chromium lost
  // every other of such requests as their page went: then the worker makes them.
  if (method === 'DELETE') init.keepalive = true
  const worker = leaving && method === 'DELETE' ? navigator.serviceWorker?.controller : undefined
  if (worker) {
    worker.postMessage({ remove: address(path, query) })
    return new Response(null, { status: 204 })
  }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { ...init.headers, 'content-type': 'application/json' }
  }
  if (file) {
    init.body = file
    init.headers = { ...init.headers, 'content-type': file.type || 'application/octet-stream' }
  }
  if (signal) init.signal = signal
  try {
    return await fetch(address(path, query), init)
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === 'AbortError') throw reason
    throw UNREACHABLE
  }
}

/** Whatever was thrown, as a Problem; a bug in the page is told as one. */
export function asProblem(reason: unknown): Problem {
  if (reason instanceof Problem) return reason
  const detail = reason instanceof Error ? reason.message : String(reason)
  return new Problem({ code: 'dashboard_failed', status: 0, title: 'This page failed', detail, mend: 'Reload the page; if it happens again, report it with this text.' })
}
