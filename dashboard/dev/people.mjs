// The people of a scene: members, invitations, sessions, passkeys, providers and what the audit log says of them.

const minutes = (n) => new Date(Date.now() - n * 60_000).toISOString()

const VIEW = ['app.see', 'app.read', 'message.read', 'template.read', 'event_type.read', 'event.read', 'trigger.read']
const EDIT = [...VIEW, 'message.send', 'template.write', 'event.send', 'event_type.write', 'trigger.write', 'subscription.write', 'user.write']
const ADMIN = [...EDIT, 'subscription.delete', 'subscription.import', 'integration.write', 'delivery.repair', 'key.manage', 'app.settings', 'audit.read', 'member.manage']
const OWNER = [...ADMIN, 'owner.manage', 'app.delete', 'subscription.export', 'personal_data.export', 'personal_data.erase']
export const PERMISSIONS = { viewer: VIEW, editor: EDIT, admin: ADMIN, owner: OWNER }
export const INSTANCE = ['instance.read', 'instance.manage', 'instance.members']

const member = (n, name, email, role, of = {}) => ({ id: `mem_${n}`, name, email, role, super_admin: false, two_factor: n % 2 === 1, last_seen_at: minutes(n * n * 41), disabled_at: null, ...of })

const entry = (n, actor, action, subject, detail = {}, kind = 'member') => ({
  id: 900 - n, at: minutes(n * 47 + 2), actor: { kind, id: kind === 'member' ? 'mem_1' : kind === 'key' ? 'key_1' : null, name: actor }, action,
  subject: subject && { kind: subject[0], id: subject[1], name: subject[2] }, detail, address: kind === 'operator' || kind === 'system' ? null : '192.0.2.14',
})

const DEEDS = [
  ['Anna Berger', 'notification.created', ['notification', 'ntf_000001', 'Fresh fish'], { audience: 12_408 }],
  ['Anna Berger', 'session.signed_in', ['session', 'ses_1', null], { way: 'passkey' }],
  ['Shop server', 'notification.created', ['notification', 'ntf_000002', 'Your order is on its way'], { audience: 1 }, 'key'],
  ['Anna Berger', 'member.role_changed', ['member', 'mem_3', 'Friedrich-Wilhelm Oberlandesgerichtsrat'], { from: 'viewer', to: 'editor' }],
  ['Anna Berger', 'invitation.created', ['invitation', 'inv_1', 'jo@example.com'], { role: 'viewer' }],
  ['', 'session.sign_in_refused', ['session', null, 'anna@example.com'], {}, 'nobody'],
  ['operator', 'key.created', ['key', 'key_2', 'Nightly export'], { scopes: ['admin'] }, 'operator'],
  ['Mia Quai', 'second_factor.totp_added', ['member', 'mem_2', 'Mia Quai'], {}],
  ['Mia Quai', 'notification.held_cancelled', ['notification', 'ntf_000009', 'Donaudampfschifffahrtsgesellschaftskapitänswitwenrente'], {}],
  ['Mia Quai', 'sending.paused', ['instance', null, null], { reason: 'Wrong link in the storm warning' }],
  ['tidings', 'personal_data.erased', ['user', 'u-42', 'u-42'], { subscriptions: 2 }, 'system'],
]

export function peopleOf(scene) {
  const role = { viewer: 'viewer', editor: 'editor', admin: 'admin' }[scene] ?? 'owner'
  const alone = scene === 'empty'
  const me = {
    id: 'mem_1', name: 'Anna Berger', email: 'anna@example.com', super_admin: role === 'owner',
    two_factor: { totp: !alone, passkeys: alone ? 0 : 2, recovery_codes_left: alone ? 0 : 2 }, has_password: true, created_at: minutes(90_000),
  }
  const others = [
    member(2, 'Mia Quai', 'mia@example.com', 'admin'),
    member(3, 'Friedrich-Wilhelm Oberlandesgerichtsrat', 'friedrich-wilhelm.oberlandesgerichtsrat@ministerium.example.com', 'editor'),
    member(4, 'Jo Kay', 'jo.kay@example.com', 'viewer', { last_seen_at: null }),
    member(5, 'Tom Haff', 'tom@example.com', 'editor', { disabled_at: minutes(999) }),
  ]
  const session = (n, device, of = {}) => ({ id: `ses_${n}`, current: n === 1, device, address: `192.0.2.${13 + n}`, created_at: minutes(n * 4000), seen_at: minutes(n * 400 - 399), expires_at: minutes(-20_000), ...of })
  return {
    me, role, fresh: scene !== 'stale', second: false,
    members: [{ ...member(1, me.name, me.email, role), super_admin: me.super_admin }, ...(alone ? [] : others)],
    invitations: alone ? [] : [
      { id: 'inv_1', email: 'jo@example.com', role: 'viewer', created_at: minutes(300), expires_at: minutes(-6 * 1440), invited_by: me.name },
      { id: 'inv_2', email: 'a.very.long.address.that.does.not.end@a-rather-long-organisation.example.com', role: 'editor', created_at: minutes(3000), expires_at: minutes(-100), invited_by: me.name },
    ],
    sessions: [session(1, 'Firefox on Linux'), ...(alone ? [] : [session(2, 'Safari on iPhone'), session(3, 'Chrome on Windows', { address: '2001:db8::8a2e:370:7334' }), session(4, null)])],
    passkeys: alone ? [] : [
      { id: 'psk_1', name: 'Firefox on Linux', created_at: minutes(50_000), last_used_at: minutes(200) },
      { id: 'psk_2', name: 'YubiKey in the drawer', created_at: minutes(70_000), last_used_at: null },
    ],
    providers: alone ? [] : [{ id: 'google', name: 'Google', issuer: 'https://accounts.google.com', client_id: '1234.apps.example.com', domains: ['example.com'], create: 'viewer', app: 'app_1', redirect_uri: 'https://push.example.com/api/v1/session/oidc/google/callback' }],
    audit: alone ? [] : Array.from({ length: 120 }, (_, n) => entry(n, ...DEEDS[n % DEEDS.length])),
  }
}
