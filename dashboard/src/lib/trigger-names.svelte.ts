/** The names of triggers, read once they are needed; who may not see triggers, or where they cannot be read, does without. */

import { api, type Notification } from './api'
import { every } from './every'
import { Resource } from './resource.svelte'
import { session } from './session.svelte'
import { varies } from './titles'

export class TriggerNames {
  readonly #asked = new Set<string>()
  readonly #found = new Resource(async (signal) => new Map((await every((query) => api.triggers(query, signal))).map(({ id, name }) => [id, name])))

  get value(): ReadonlyMap<string, string> {
    return this.#found.value ?? new Map<string, string>()
  }

  /** Read them if one of these notifications is called by its trigger, or always where it is shown who made it. */
  for = (notifications: readonly Pick<Notification, 'title' | 'trigger'>[], always = false): void => {
    // One that is not there any more is asked for once.
    const wanted = notifications.flatMap(({ title, trigger }) => (trigger && (always || varies(title)) && !this.#asked.has(trigger) ? [trigger] : []))
    if (!wanted.length || !session.may('trigger.read')) return
    for (const id of wanted) this.#asked.add(id)
    void this.#found.load()
  }

  stop = (): void => this.#found.stop()
}

/** For a component that lists notifications, to be called while it starts; they are read again when the list is another. */
export function triggerNames(notifications: () => readonly Pick<Notification, 'title' | 'trigger'>[], always = false): TriggerNames {
  const made = new TriggerNames()
  $effect(() => made.for(notifications(), always))
  $effect(() => made.stop)
  return made
}
