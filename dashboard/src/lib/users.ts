/** People in words. */

import type { User } from './api'

/** What they are called: the attribute `name`, else the App's own id. */
export function nameOf(user: Pick<User, 'id' | 'attributes'>): string {
  const { name } = user.attributes
  return typeof name === 'string' && name.trim() ? name : user.id
}

/** An attribute's value as it is shown. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return JSON.stringify(value)
}

/** Attributes as rows, without the name that the page is called by. */
export function attributesOf(user: User): [string, string][] {
  return Object.entries(user.attributes).filter(([key]) => key !== 'name').map(([key, value]) => [key, valueText(value)])
}

const KINDS: Readonly<Record<string, [one: string, many: string]>> = {
  subscriptions: ['device', 'devices'],
  deliveries: ['delivery', 'deliveries'],
  receipts: ['receipt', 'receipts'],
  users: ['person', 'people'],
  events: ['event', 'events'],
  notifications: ['notification', 'notifications'],
}

/** "3 devices", for what an erasure removed. */
export function removedInWords(kind: string, count: number): string {
  const [one, many] = KINDS[kind] ?? [kind.replaceAll('_', ' '), kind.replaceAll('_', ' ')]
  return `${count} ${count === 1 ? one : many}`
}
