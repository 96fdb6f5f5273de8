/** The pages that one goes to by name: for the side bar, the palette and keys. */

import Bell from '@lucide/svelte/icons/bell'
import ChartLine from '@lucide/svelte/icons/chart-line'
import Contact from '@lucide/svelte/icons/contact'
import Cpu from '@lucide/svelte/icons/cpu'
import FileText from '@lucide/svelte/icons/file-text'
import Filter from '@lucide/svelte/icons/funnel'
import House from '@lucide/svelte/icons/house'
import KeyRound from '@lucide/svelte/icons/key-round'
import ListChecks from '@lucide/svelte/icons/list-checks'
import Plug from '@lucide/svelte/icons/plug'
import MonitorSmartphone from '@lucide/svelte/icons/monitor-smartphone'
import Radio from '@lucide/svelte/icons/radio'
import Send from '@lucide/svelte/icons/send'
import LogIn from '@lucide/svelte/icons/log-in'
import ScrollText from '@lucide/svelte/icons/scroll-text'
import UserRound from '@lucide/svelte/icons/user-round'
import Users from '@lucide/svelte/icons/users'
import Webhook from '@lucide/svelte/icons/webhook'
import Zap from '@lucide/svelte/icons/zap'

export interface Place {
  href: string
  label: string
  Icon: typeof Bell
  /** What one must be allowed to find anything there. */
  needs?: string
  /** Another address under which it is the page that is open. */
  also?: string
}

export const GROUPS: readonly { label: string; links: readonly Place[] }[] = [
  { label: '', links: [{ href: '/', label: 'Overview', Icon: House }] },
  {
    label: 'Progressive Web App',
    links: [
      { href: '/send', label: 'Send Push', Icon: Send },
      { href: '/notifications', label: 'Notifications', Icon: ListChecks },
      { href: '/analytics', label: 'Analytics', Icon: ChartLine, needs: 'app.read' },
      { href: '/subscriptions', label: 'Subscriptions', Icon: MonitorSmartphone },
    ],
  },
  {
    label: 'People',
    links: [
      { href: '/users', label: 'Users', Icon: Contact, needs: 'app.read' },
      { href: '/segments', label: 'Segments', Icon: Filter, needs: 'segment.read' },
    ],
  },
  {
    label: 'Automation',
    links: [
      { href: '/events', label: 'Events', Icon: Radio, needs: 'event.read', also: '/event-types' },
      { href: '/templates', label: 'Templates', Icon: FileText, needs: 'template.read' },
    ],
  },
  {
    label: 'Settings',
    links: [
      { href: '/settings/integrations', label: 'Integrations', Icon: Plug },
      { href: '/settings/push-notifications', label: 'Push Notifications', Icon: Bell },
      { href: '/settings/triggers', label: 'Triggers', Icon: Zap, needs: 'trigger.read' },
      { href: '/settings/members', label: 'Members', Icon: Users, needs: 'member.manage' },
      { href: '/settings/api-keys', label: 'API keys', Icon: KeyRound, needs: 'key.manage' },
      { href: '/settings/webhooks', label: 'Webhooks', Icon: Webhook, needs: 'webhook.read' },
      { href: '/settings/audit', label: 'Audit', Icon: ScrollText, needs: 'audit.read' },
      { href: '/settings/sign-in', label: 'Sign-in', Icon: LogIn, needs: 'instance.manage' },
      { href: '/settings/system', label: 'System', Icon: Cpu },
      { href: '/settings/profile', label: 'Profile', Icon: UserRound },
    ],
  },
]

/** Those that somebody may find anything on. */
export function placesFor(may: (permission: string) => boolean): Place[] {
  return GROUPS.flatMap(({ links }) => links.filter(({ needs }) => !needs || may(needs)))
}
