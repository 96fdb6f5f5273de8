/** A notification's live progress over Server-Sent Events, until it is final. */

import { api, type Counts, type Notification, type NotificationStatus, type Progress } from './api'

export const FINAL: readonly NotificationStatus[] = ['done', 'cancelled']

/** How many recipients have reached their final state. */
export function settled(counts: Counts): number {
  return counts.sent + counts.failed + counts.expired + counts.skipped
}

/** Whether its time is yet to come. */
export const isPlanned = ({ status, send_at }: Pick<Notification, 'status' | 'send_at'>, at: number): boolean =>
  status === 'queued' && Date.parse(send_at) > at

export class LiveProgress {
  latest = $state.raw<Progress | undefined>(undefined)
  lost = $state(false)
  #source: EventSource | undefined

  /** Watch until the notification is final, then say so once. */
  watch(id: string, onFinal: () => void): void {
    this.stop()
    const source = (this.#source = new EventSource(api.progressAddress(id)))
    source.addEventListener('progress', (event) => {
      const progress = JSON.parse((event as MessageEvent<string>).data) as Progress
      this.latest = progress
      this.lost = false
      if (!FINAL.includes(progress.status)) return
      this.stop()
      onFinal()
    })
    // The browser reconnects by itself; the page only says that it is behind.
    source.addEventListener('error', () => {
      this.lost = true
    })
  }

  stop(): void {
    this.#source?.close()
    this.#source = undefined
  }
}
