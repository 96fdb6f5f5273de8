/** The providers that an App can send through: what each is called, reaches and wants, in words. */

import type { Integration } from './api'
import { number } from './format'

export interface ProviderWords {
  name: string
  /** What it reaches. */
  reaches: string
  /** How it is signed in to. */
  auth: string
  what: string
  /** A label as people give it. */
  example: string
}

export const PROVIDERS: Readonly<Record<string, ProviderWords>> = {
  fcm: {
    name: 'FCM', reaches: 'Android, and browsers', auth: 'Service account',
    what: 'Firebase Cloud Messaging is the standard for Android apps. It can also deliver to browsers and iPhones that registered with Firebase.', example: 'Firebase Production',
  },
  apns: {
    name: 'APNs', reaches: 'iOS, macOS', auth: 'Key or certificate',
    what: 'The Apple Push Notification service delivers to apps on iPhone, iPad, Mac, Watch and TV.', example: 'Apple Production',
  },
  webpush: {
    name: 'Web Push', reaches: 'All modern browsers', auth: 'VAPID key pair',
    what: 'Web Push uses VAPID and needs no third-party service: the keys are yours, and nobody has to be asked for an account.', example: 'Web Push Production',
  },
  webhook: {
    name: 'Webhook', reaches: 'A server of your own', auth: 'Signing secret',
    what: 'Messages go as signed JSON to a server of your own, which does with them what it likes (Standard Webhooks).', example: 'Own gateway',
  },
}

export function providerName(provider: string): string {
  return PROVIDERS[provider]?.name ?? provider
}

/** "FCM, Firebase Production"; the browsers' one is labelled with its provider's name until somebody labels it. */
export function integrationName({ provider, label }: Pick<Integration, 'provider' | 'label'>): string {
  const name = providerName(provider)
  return label && label !== provider && label !== name ? `${name}, ${label}` : name
}

export function labelOf({ provider, label }: Pick<Integration, 'provider' | 'label'>): string {
  return label && label !== provider ? label : providerName(provider)
}

/** A member of a message, as the composer calls it. */
const MEMBERS: Readonly<Record<string, string>> = {
  title: 'Title', body: 'Message', url: 'URL', icon: 'Icon', image: 'Image', badge_count: 'Badge', actions: 'Buttons', collapse_id: 'Collapse id', data: 'Data',
}

export function fitWords(member: string): string {
  return MEMBERS[member] ?? member
}

const ENVIRONMENTS: Readonly<Record<string, string>> = { production: 'Production', sandbox: 'Sandbox' }

/** What is known of an integration's credentials, as rows; never the credentials. */
export function factsOf({ provider, settings: of }: Pick<Integration, 'provider' | 'settings'>): [label: string, value: string][] {
  const rows: [string, string | undefined][] = {
    fcm: [['Project ID', of.project_id], ['Service account', of.client_email], ['Messages a minute', of.messages_per_minute && number(Number(of.messages_per_minute))]] as [string, string | undefined][],
    apns: [
      ['Auth method', of.auth === 'certificate' ? 'Certificate' : 'Key'], ['Bundle ID', of.bundle_id], ['Key ID', of.key_id], ['Team ID', of.team_id],
      ['Certificate', of.subject], ['Environment', ENVIRONMENTS[of.environment ?? ''] ?? of.environment],
    ] as [string, string | undefined][],
    webpush: [['Contact', of.subject?.replace(/^mailto:/, '')]] as [string, string | undefined][],
    webhook: [['Address', of.url]] as [string, string | undefined][],
  }[provider] ?? []
  return rows.filter((row): row is [string, string] => Boolean(row[1]))
}

export function devicesOf(integration: Pick<Integration, 'keys'>): number {
  return integration.keys.reduce((sum, key) => sum + key.subscriptions, 0)
}

export function hrefOf(integration: Pick<Integration, 'id' | 'provider'>): string {
  return integration.id ? `/settings/integrations/${integration.id}` : `/settings/integrations/add?provider=${integration.provider}`
}

export const DAYS_BEFORE = 30

/** Days until the credentials end, rounded up; 0 when they have, undefined where they do not or it is far away. */
export function daysLeft(integration: Pick<Integration, 'expires_at'>, now: number): number | undefined {
  if (!integration.expires_at) return undefined
  const days = Math.max(0, Math.ceil((Date.parse(integration.expires_at) - now) / 86_400_000))
  return days <= DAYS_BEFORE ? days : undefined
}

/** What it means that devices are suspected, and how to mend it. */
export const SUSPECTED = 'Their tokens are refused as if they were of another environment, project or app, while others are taken. None is lost: have the app register with the environment, project and id that this integration names.'
