/** The REST API that the dashboard uses: one file for each noun, with the shapes of its bodies. */

import { apps } from './apps'
import { audit } from './audit'
import { integrations } from './integrations'
import { keys } from './keys'
import { me } from './me'
import { members } from './members'
import { notifications } from './notifications'
import { session } from './session'
import { setup } from './setup'
import { subscriptions } from './subscriptions'
import { system } from './system'
import { ways } from './ways'

export { about, type Page } from './calls'
export type * from './apps'
export type * from './audit'
export type * from './integrations'
export type * from './keys'
export type * from './me'
export type * from './members'
export type * from './notifications'
export type * from './session'
export type * from './subscriptions'
export type * from './system'
export type * from './ways'

export const api = { ...apps, ...audit, ...integrations, ...keys, ...me, ...members, ...notifications, ...session, ...setup, ...subscriptions, ...system, ...ways }
