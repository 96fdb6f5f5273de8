/** People in words. */

import type { User } from './api'
import { number, plural, word } from './format'

/** What they are called: the attribute `name`, else the App's own id. */
export function nameOf(user: Pick<User, 'id' | 'attributes'>): string {
  const { name } = user.attributes
  return typeof name === 'string' && name.trim() ? name : user.id
}

/** An attribute's value as it is shown. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? word('yes') : word('no')
  return JSON.stringify(value)
}

/** Attributes as rows, without the name that the page is called by. */
export function attributesOf(user: User): [string, string][] {
  return Object.entries(user.attributes).filter(([key]) => key !== 'name').map(([key, value]) => [key, valueText(value)])
}

const KINDS: Readonly<Record<string, (count: number) => string>> = {
  subscriptions: (count) => plural(count, ['# device', '# devices']),
  deliveries: (count) => plural(count, ['# delivery', '# deliveries']),
  receipts: (count) => plural(count, ['# receipt', '# receipts']),
  users: (count) => plural(count, ['# person', '# people']),
  events: (count) => plural(count, ['# event', '# events']),
  notifications: (count) => plural(count, ['# notification', '# notifications']),
}

/** "3 devices", for what an erasure removed. */
export function removedInWords(kind: string, count: number): string {
  return KINDS[kind]?.(count) ?? `${number(count)} ${kind.replaceAll('_', ' ')}`
}
