/** Webhooks in words: what they can be told, how they are, and how a try went. */

import type { Webhook, WebhookEvent, WebhookMessage, WebhookTry } from './api'
import { word } from './format'

export const GROUPS: readonly [label: string, events: readonly [WebhookEvent, string][]][] = [
  ['Deliveries', [['delivery.sent', word('sent')], ['delivery.failed', word('failed')], ['delivery.expired', word('expired')], ['delivery.skipped', word('skipped')]]],
  ['What people did', [['receipt.shown', word('shown')], ['receipt.clicked', word('clicked')], ['receipt.closed', word('closed')], ['receipt.answered', word('answered')]]],
  ['Subscriptions', [['subscription.created', word('created')], ['subscription.expired', word('expired')], ['subscription.unsubscribed', word('unsubscribed')]]],
  ['Notifications', [['notification.finished', word('finished')]]],
]

/** What a new one is told unless its maker chooses: little, and what most want to know. */
export const FIRST: readonly WebhookEvent[] = ['delivery.failed', 'receipt.clicked', 'subscription.unsubscribed']

export function hostOf(url: string): string {
  try {
    return new URL(url).host
  } catch {
    return url
  }
}

export function nameOf(webhook: Webhook): string {
  return webhook.description || hostOf(webhook.url)
}

/** What is wrong with an address as it is typed, undefined while nothing is; the server has the last word. */
export function urlFault(url: string): string | undefined {
  const text = url.trim()
  if (!text) return 'Give the address that is to be called.'
  let parsed: URL
  try {
    parsed = new URL(text)
  } catch {
    return 'This is no address. Write it like https://www.example.com/hooks/tidings.'
  }
  return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? undefined : 'The address begins with https://.'
}

export interface Health {
  tone: 'success' | 'warning' | 'error' | 'quiet'
  label: string
}

export function healthOf(webhook: Webhook): Health {
  if (webhook.disabled_because === 'gone') return { tone: 'error', label: 'Turned off: answered 410 Gone' }
  if (webhook.disabled_because) return { tone: 'error', label: 'Turned off: took nothing for days' }
  if (!webhook.enabled) return { tone: 'quiet', label: 'Off' }
  if (webhook.failures > 0) return { tone: 'warning', label: webhook.failures === 1 ? 'The last call failed' : `The last ${webhook.failures} calls failed` }
  return { tone: 'success', label: 'On' }
}

const FAILURES: Readonly<Record<string, string>> = {
  dns: 'The host has no address',
  connect: 'Nobody listens there',
  tls: 'The certificate was not taken',
  timeout: 'No answer within ten seconds',
  forbidden_address: 'The host leads to an address that may not be called',
  reset: 'The connection was cut',
  never_told: 'Three days passed before it could be called',
}

/** How a try went: "HTTP 500", "No answer within ten seconds". */
export function outcomeOf(one: Pick<WebhookTry, 'status' | 'failure'>): string {
  if (one.status !== null) return `HTTP ${one.status}`
  return FAILURES[one.failure] ?? (one.failure ? `Failed: ${one.failure}` : 'Not tried yet')
}

export const lastOf = (message: WebhookMessage): string => outcomeOf({ status: message.last_status, failure: message.last_failure })
