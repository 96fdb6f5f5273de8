/** A form with credentials: its fields, what is wrong at each, and the test before they are saved. */

import { api, type ConnectionProof } from './api'
import { EMPTY, faultsFrom, faultsOf, type FieldFaults, type Fields, isComplete, uploadFrom } from './credentials'
import { asProblem, type Problem } from './http'

export class CredentialForm {
  fields = $state<Fields>({})
  proof = $state.raw<ConnectionProof | undefined>(undefined)
  problem = $state.raw<Problem | undefined>(undefined)
  busy = $state<'' | 'test' | 'save'>('')
  #tried = $state(false)
  #said = $state.raw<{ about: string; faults: Record<string, string> }>({ about: '', faults: {} })
  readonly provider: string

  constructor(provider: string, preset: Fields = {}) {
    this.provider = provider
    this.fields = { ...EMPTY[provider], ...preset }
  }

  /** What is wrong at each field: what can be seen from here once somebody tried, and what the server said of these values. */
  get faults(): FieldFaults {
    const said = this.#said.about === this.#state() ? this.#said.faults : {}
    return this.#tried ? { ...said, ...Object.fromEntries(Object.entries(faultsOf(this.provider, this.fields)).filter(([, fault]) => fault)) } : said
  }

  /** Whether the test that is shown is of what stands in the fields. */
  get proved(): ConnectionProof | undefined {
    return this.#about === this.#state() ? this.proof : undefined
  }

  /** There is nothing to test until a pair is made. */
  get testable(): boolean {
    return this.fields.source !== 'new'
  }

  get complete(): boolean {
    this.#tried = true
    return isComplete(faultsOf(this.provider, this.fields))
  }

  upload(): Fields {
    return uploadFrom(this.provider, this.fields)
  }

  #about = $state('')
  #state = () => JSON.stringify(this.fields)

  test = async (): Promise<void> => {
    if (!this.complete) return
    await this.run('test', async () => {
      const about = this.#state()
      this.proof = await api.tryCredentials(this.provider, this.upload())
      this.#about = about
    })
  }

  /** Do something with the fields; what the server says of one of them is shown there. */
  run = async (what: 'test' | 'save', work: () => Promise<unknown>): Promise<boolean> => {
    if (this.busy) return false
    this.busy = what
    this.problem = undefined
    try {
      await work()
      return true
    } catch (reason) {
      this.problem = asProblem(reason)
      this.#said = { about: this.#state(), faults: faultsFrom(this.problem) }
      return false
    } finally {
      this.busy = ''
    }
  }
}
