/** What a notification is called in lists: its title, or, where everybody reads another one, what made it. */

import type { Notification } from './api'

const VALUE = /\{\{-?\s*([\w.]+)[^{}]*\}\}/g
const TAG = /\{%[^%]*%\}/g

/** Whether each person reads something else. */
export const varies = (text: string): boolean => text.includes('{{') || text.includes('{%')

/** Words with a gap where each person reads something else: "‹bot.name› needs you". */
export function withGaps(text: string): string {
  return varies(text) ? text.replace(VALUE, '‹$1›').replace(TAG, '') : text
}

type Made = Pick<Notification, 'title' | 'body' | 'trigger'>

/** The title, and below it the text; of what a trigger made for each person anew, the trigger's name and its words. */
export function calledAs({ title, body, trigger }: Made, triggers: ReadonlyMap<string, string>): { title: string; text: string } {
  const name = trigger && varies(title) ? triggers.get(trigger) : undefined
  return name ? { title: name, text: withGaps(title) } : { title: withGaps(title), text: withGaps(body ?? '') }
}
