/** Who is signed in, and which App the pages are about. */

import { about, api, type App } from './api'
import { asProblem, type Problem, whenSignedOut } from './http'

const NAME = 'tidings.app'

function rememberedApp(): string | null {
  try {
    return localStorage.getItem(NAME)
  } catch {
    // Storage is blocked: the first App is taken.
    return null
  }
}

class Session {
  state = $state<'loading' | 'in' | 'out' | 'failing'>('loading')
  problem = $state.raw<Problem | undefined>(undefined)
  apps = $state.raw<App[]>([])
  app = $state.raw<App | undefined>(undefined)

  /** Ask the server whether this browser is signed in, and for the Apps if it is. */
  open = async (): Promise<void> => {
    this.state = 'loading'
    try {
      const answer = await api.session()
      if (!answer.signed_in) {
        this.state = 'out'
        return
      }
      await this.readApps()
      this.state = 'in'
    } catch (reason) {
      const problem = asProblem(reason)
      this.problem = problem
      this.state = problem.status === 401 ? 'out' : 'failing'
    }
  }

  readApps = async (): Promise<void> => {
    const { data } = await api.apps()
    this.apps = data
    const wanted = this.app?.id ?? rememberedApp()
    this.choose(data.find((app) => app.id === wanted) ?? data[0])
  }

  choose = (app: App | undefined): void => {
    about(this.several ? app?.id : undefined)
    this.app = app
    if (!app) return
    try {
      localStorage.setItem(NAME, app.id)
    } catch {
      // Storage is blocked: the choice holds until the page is left.
    }
  }

  get several(): boolean {
    return this.apps.length > 1
  }

  signOut = async (): Promise<void> => {
    await api.signOut()
    this.state = 'out'
  }
}

export const session = new Session()

whenSignedOut(() => {
  session.state = 'out'
})
