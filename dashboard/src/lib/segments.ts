/** What the pages of segments do alike. */

import { api, type Segment } from './api'
import { undo } from './undo.svelte'

/** Delete a segment so that it can be taken back; fails at once where something needs it. */
export async function removeSegment({ id, name }: Segment): Promise<void> {
  // What was deleted before may have been what needs it.
  await undo.settle()
  await api.checkSegmentNeedless(id)
  undo.show({ text: `The segment “${name}” was deleted.`, note: 'What was sent to it stays as it is.', hidden: id, settle: () => api.deleteSegment(id) })
}
