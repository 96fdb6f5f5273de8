import { describe, expect, it } from 'vitest'

import { whyNot } from '../src/lib/device-faults'

describe('why push could not be enabled', () => {
  it('names the push service and what may block it', () => {
    for (const code of ['subscribe_failed', 'timed_out']) {
      const said = whyNot({ code, message: 'The push service took longer than 20 s.' }, false)
      expect(said).toMatch(/does not reach its push service/)
      expect(said).toMatch(/firewall/)
    }
    expect(whyNot({ code: 'subscribe_failed', message: 'x' }, true)).toMatch(/brave:\/\/settings\/privacy/)
  })

  it('names the server where it was the server', () => {
    expect(whyNot({ code: 'timed_out', message: 'The server took longer than 15 s.' }, true)).toMatch(/server did not answer/)
    expect(whyNot({ code: 'server_unreachable', message: 'x' }, false)).toMatch(/server did not answer/)
  })

  it('leaves to the SDK what only a developer can mend', () => {
    expect(whyNot({ code: 'worker_failed', message: '/tidings-sw.js is not there.' }, false)).toBe('/tidings-sw.js is not there.')
  })
})
