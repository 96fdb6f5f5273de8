/** The first member of an instance, through the link that `tidings up` prints. */

import { call } from '../http'
import { sendAny } from './calls'
import type { SessionBody } from './session'

export const setup = {
  lookAtSetup: (token: string) => call<{ wants: 'first_member' | 'demo' }>('/setup', { headers: { 'X-Setup-Token': token } }),
  setUp: (of: { token: string; name: string; email: string; password: string }) => sendAny<SessionBody>('POST', '/setup', of),
}
