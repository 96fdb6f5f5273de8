/** What is in the way of a notification before it is sent. */

import type { Audience, Urgency } from './notifications'
import { send } from './calls'

export interface Obstacle {
  matter: 'integration_paused' | 'key_revoked' | 'web_push_off' | 'integration_removed'
  provider: string
  /** Where it is mended, null where the integration is gone. */
  integration: string | null
  label: string
  /** Why it is paused. */
  reason: string
  devices: number
}

export interface Outlook {
  devices: number
  /** Of browsers by the origin of their push service; null in a large audience. */
  reached: { provider: string; service: string | null; devices: number }[]
  obstacles: Obstacle[]
  /** Devices whose people have quiet hours now; null where the audience is too large to ask each. */
  quiet_hours: { devices: number; later: number; never: number; until: string | null } | null
  /** Devices whose people do not want to hear of the event type. */
  turned_off: number
}

export const outlook = {
  outlook: (of: { to: Audience; type?: string; urgency: Urgency; ttl: number }, signal?: AbortSignal) => send<Outlook>('POST', '/notifications/outlook', of, signal),
}
