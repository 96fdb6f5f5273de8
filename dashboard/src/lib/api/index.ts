/** The REST API that the dashboard uses: one file for each noun, with the shapes of its bodies. */

import { apps } from './apps'
import { audit } from './audit'
import { automation } from './automation'
import { integrations } from './integrations'
import { keys } from './keys'
import { me } from './me'
import { members } from './members'
import { notifications } from './notifications'
import { presets } from './presets'
import { segments } from './segments'
import { session } from './session'
import { setup } from './setup'
import { stats } from './stats'
import { subscriptions } from './subscriptions'
import { system } from './system'
import { templates } from './templates'
import { users } from './users'
import { ways } from './ways'

export { about, type Page } from './calls'
export type * from './apps'
export type * from './audit'
export type * from './automation'
export type * from './integrations'
export type * from './keys'
export type * from './me'
export type * from './members'
export type * from './notifications'
export type * from './presets'
export type * from './segments'
export type * from './session'
export type * from './stats'
export type * from './subscriptions'
export type * from './system'
export type * from './templates'
export type * from './users'
export type * from './ways'

export const api = {
  ...apps, ...audit, ...automation, ...integrations, ...keys, ...me, ...members, ...notifications, ...presets, ...segments, ...session, ...setup, ...stats, ...subscriptions,
  ...system, ...templates, ...users, ...ways,
}
