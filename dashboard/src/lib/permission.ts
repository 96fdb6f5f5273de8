/** What members may do, in words; which role may what is the server's to say. */

import type { Role } from './api'

export const ROLES: readonly [role: Role, label: string, words: string][] = [
  ['viewer', 'Viewer', 'looks at everything, changes nothing'],
  ['editor', 'Editor', 'also sends, and keeps users and subscriptions'],
  ['admin', 'Admin', 'also keeps integrations, API keys, settings and members'],
  ['owner', 'Owner', 'everything, including other owners, exports and erasure'],
]

/** What somebody lacks, as "You may not …". */
const WORDS: Readonly<Record<string, string>> = {
  'app.see': 'see this App',
  'app.read': 'see subscriptions and figures',
  'app.delete': 'delete this App',
  'subscription.import': 'import subscriptions',
  'personal_data.export': 'export what is kept of a person',
  'message.read': 'see notifications',
  'message.send': 'send notifications',
  'template.read': 'see templates',
  'template.write': 'write templates',
  'subscription.write': 'change subscriptions',
  'subscription.delete': 'delete subscriptions',
  'subscription.export': 'export subscriptions',
  'user.write': 'change users',
  'segment.read': 'see segments',
  'segment.write': 'create or change segments',
  'event_type.read': 'see event types',
  'event_type.write': 'declare or change event types',
  'event.read': 'see events',
  'event.send': 'report or replay events',
  'trigger.read': 'see triggers',
  'trigger.write': 'create or change triggers',
  'preset.apply': 'apply presets',
  'personal_data.erase': 'erase people’s data',
  'integration.write': 'change keys and integrations',
  'webhook.read': 'see webhooks',
  'webhook.write': 'create or change webhooks',
  'delivery.repair': 'try again or drop what was given up',
  'key.manage': 'see or change API keys',
  'member.manage': 'see or change members',
  'owner.manage': 'make or change owners',
  'app.settings': 'change the settings of this App',
  'audit.read': 'read the audit log',
  'instance.read': 'see how the instance runs',
  'instance.manage': 'change the instance',
  'instance.members': 'see the members of the whole instance',
}

/** Who can: instance-wide things are for super admins, the rest for the owners and admins of an App. */
export function whyNot(permission: string, of: { role: Role | null | undefined; app: string | undefined }): string {
  const what = WORDS[permission] ?? 'do this'
  if (permission.startsWith('instance.')) return `Only a super admin may ${what}.`
  const as = of.role ? `As ${article(of.role)} ${of.app ? `of ${of.app} ` : ''}you` : 'You'
  return `${as} may not ${what}. An owner or admin can change your role.`
}

export function article(role: Role): string {
  return { viewer: 'a viewer', editor: 'an editor', admin: 'an admin', owner: 'an owner' }[role]
}

export function roleName(role: Role | null): string {
  return ROLES.find(([one]) => one === role)?.[1] ?? 'No role'
}

/** The roles that somebody may give: only who may make owners gives that one. */
export function rolesToGive(mayMakeOwners: boolean): readonly (typeof ROLES)[number][] {
  return mayMakeOwners ? ROLES : ROLES.filter(([role]) => role !== 'owner')
}
