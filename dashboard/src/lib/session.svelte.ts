/** Who is signed in, what they may do, and which App the pages are about. */

import { about, api, type App, type Me, type Role, type SessionBody } from './api'
import { forgetDrafts } from './draft'
import { hold, tellLeft } from './hold.svelte'
import { asProblem, type Problem, whenSignedOut } from './http'
import { whyNot } from './permission'
import { type Remembered, whyEnded } from './returning'
import { go } from './router.svelte'
import { undo } from './undo.svelte'

const APP = 'tidings.app'
const VISIT = 'tidings.visit'

/** Keep something on this device, or forget it; where storage is blocked nothing is kept. */
function keep(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // Storage is blocked: what was chosen holds until the page is left.
  }
}

function kept(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    // Storage is blocked: nothing was kept.
    return null
  }
}

const NO_WAYS: SessionBody['ways'] = { password: true, passkey: false, oidc: [] }

class Session {
  state = $state<'loading' | 'in' | 'out' | 'failing'>('loading')
  problem = $state.raw<Problem | undefined>(undefined)
  apps = $state.raw<App[]>([])
  app = $state.raw<App | undefined>(undefined)
  me = $state.raw<Me | undefined>(undefined)
  needs = $state<SessionBody['needs']>(null)
  ways = $state.raw(NO_WAYS)
  /** What the sign-in page says first, such as why one has to sign in again. */
  notice = $state('')
  #body = $state.raw<SessionBody | undefined>(undefined)

  /** Ask the server whether this browser is signed in, and for the Apps if it is. */
  open = async (): Promise<void> => {
    this.state = 'loading'
    try {
      await this.take(await api.session())
    } catch (reason) {
      this.problem = asProblem(reason)
      this.state = this.problem.status === 401 ? 'out' : 'failing'
    }
  }

  /** Take what an answer says of the session: signed in, half-way, or not. */
  take = async (body: SessionBody): Promise<void> => {
    this.needs = body.needs
    this.ways = body.ways
    if (!body.signed_in || body.needs) {
      this.#leave()
      // A page that waits goes on knowing whose it is and what they may do.
      if (!hold.on) this.#know(body)
      return
    }
    this.#know(body)
    this.notice = ''
    if (body.session) keep(VISIT, JSON.stringify({ seen_at: Date.now(), expires_at: Date.parse(body.session.expires_at) } satisfies Remembered))
    hold.end(this.me?.id)
    await this.readApps()
    this.state = 'in'
  }

  #know(body: SessionBody): void {
    this.#body = body
    this.me = body.member ?? undefined
  }

  /** See again who one is and what one may do; a session that has ended meanwhile is noticed. */
  refresh = async (): Promise<void> => {
    if (this.state === 'in' || hold.on) await api.session().then(this.take, () => undefined)
  }

  readApps = async (): Promise<void> => {
    const { data } = await api.apps()
    // What has not changed stays the same object, so that no page takes it for news.
    this.apps = data.map((app) => this.apps.find((old) => JSON.stringify(old) === JSON.stringify(app)) ?? app)
    const wanted = this.app?.id ?? kept(APP)
    this.choose(this.apps.find((app) => app.id === wanted) ?? this.apps[0])
  }

  /** Choose an App that was just made: what one may do in it has to be learnt first. */
  turnTo = async (id: string): Promise<void> => {
    await this.take(await api.session())
    this.choose(this.apps.find((app) => app.id === id) ?? this.app)
  }

  choose = (app: App | undefined): void => {
    // What can still be taken back is of the App that is left.
    if (app?.id !== this.app?.id) void undo.settle()
    about(this.several ? app?.id : undefined)
    this.app = app
    if (app) keep(APP, app.id)
  }

  get several(): boolean {
    return this.apps.length > 1
  }

  /** One's role in the App that is chosen. */
  get role(): Role | null {
    return this.#body?.apps.find((app) => app.id === this.app?.id)?.role ?? null
  }

  /** Whether one may do something, in the App that is chosen or, for `instance.…`, everywhere. */
  may = (permission: string): boolean => {
    const granted = this.#body?.permissions
    return granted?.instance.includes(permission) === true || (this.app !== undefined && granted?.apps[this.app.id]?.includes(permission) === true)
  }

  /** Why one may not, in words. */
  why = (permission: string): string => whyNot(permission, { role: this.role, app: this.several ? this.app?.name : undefined })

  signOut = async ({ leave = true } = {}): Promise<void> => {
    await undo.settle()
    await api.signOut()
    tellLeft()
    this.left()
    // Who leaves on purpose is not led back to where they were.
    if (leave) go('/sign-in')
  }

  /** Somebody left on purpose, here or in another tab: nothing of theirs stays. */
  left = (): void => {
    keep(VISIT, undefined)
    forgetDrafts()
    hold.drop()
    this.me = undefined
    this.state = 'out'
  }

  /** The server no longer knows the session; gives what `hold.back` does. */
  lose = (): Promise<boolean> | undefined => {
    if (this.state === 'in') this.#leave()
    return hold.back
  }

  #leave(): void {
    const visit = kept(VISIT)
    if (visit && !this.needs) this.notice = whyEnded(JSON.parse(visit) as Remembered, Date.now())
    keep(VISIT, undefined)
    if (this.state === 'in') hold.begin(this.me?.id)
    this.state = 'out'
  }
}

export const session = new Session()

whenSignedOut(session.lose)
