/** Push on this very device, through the same SDK that sites use. */

import { whyNot, type SdkFault } from './device-faults'
import { Problem } from './http'
import { session } from './session.svelte'
import { pushBase } from './snippet'

export type WebPushState = 'unsupported' | 'undecided' | 'denied' | 'registered' | 'unregistered'

/** What the dashboard uses of the SDK. */
interface Sdk {
  init(options: { server: string; app: string; serviceWorker: { path: string; scope: string } }): Promise<WebPushState>
  state(): Promise<WebPushState>
  subscribe(): Promise<WebPushState>
  unsubscribe(): Promise<WebPushState>
  subscription(): Promise<{ id: string } | null>
  readonly lastError?: SdkFault | undefined
}

declare global {
  var Tidings: Sdk | undefined
}

const MISSING = new Problem({
  code: 'sdk_missing',
  status: 0,
  title: 'The push script is not there',
  detail: 'This server did not serve /push/sdk.js.',
  mend: 'If you built Tidings yourself, run `make sdk`, then reload.',
})

let loading: Promise<Sdk> | undefined
let loadedFor: string | undefined

function load(): Promise<Sdk> {
  const app = session.app?.id ?? ''
  if (loading && loadedFor !== app) {
    // The SDK is set up once per page, for one App; another App begins on a fresh page.
    location.reload()
    return new Promise(() => {})
  }
  loadedFor = app
  loading ??= new Promise<Sdk>((done, failed) => {
    const base = pushBase('', session.several ? app : undefined)
    const script = document.createElement('script')
    script.src = `${base}/sdk.js`
    script.onload = () => {
      if (!globalThis.Tidings) return failed(MISSING)
      // A scope holds one subscription, made with one App's key: each App has its own. The dashboard's own worker is at `/`.
      const serviceWorker = { path: `${base}/service-worker.js`, scope: `${base}/` }
      const sdk = globalThis.Tidings
      sdk.init({ server: location.origin, app, serviceWorker }).then(() => done(sdk), failed)
    }
    script.onerror = () => {
      script.remove()
      loading = undefined
      failed(MISSING)
    }
    document.head.append(script)
  })
  return loading
}

class Device {
  state = $state<WebPushState | undefined>(undefined)
  why = $state<string | undefined>(undefined)

  look = async (): Promise<WebPushState> => {
    const sdk = await load()
    const state = this.#take(await sdk.state())
    this.#explain(sdk)
    return state
  }

  /** Ask for permission and subscribe; to be called from a click, with the SDK loaded by `look` before. */
  enable = async (): Promise<void> => {
    const sdk = globalThis.Tidings ?? (await load())
    this.#take(await sdk.subscribe())
    this.#explain(sdk)
  }

  turnOff = async (): Promise<void> => {
    const sdk = await load()
    this.#take(await sdk.unsubscribe())
    this.#explain(sdk)
  }

  /** The id of this device's subscription, undefined unless push is enabled here. */
  id = async (): Promise<string | undefined> => {
    const sdk = await load()
    return (await sdk.subscription())?.id
  }

  #explain({ lastError }: Sdk): void {
    this.why = lastError && whyNot(lastError, 'brave' in navigator)
  }

  #take(state: WebPushState): WebPushState {
    return (this.state = state)
  }
}

export const device = new Device()
