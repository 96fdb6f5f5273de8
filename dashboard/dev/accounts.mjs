// The account routes of the mock API. Password `wrong` is refused, `locked` locks out; code 000000 and link `#spent` are refused.
import { INSTANCE, peopleOf, PERMISSIONS } from './people.mjs'
import { page, Refusal } from './refusal.mjs'

const soon = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString()
const QR = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29" shape-rendering="crispEdges"><path d="' +
  Array.from({ length: 400 }, (_, n) => ((n * 7919) % 13 < 6 ? `M${4 + (n % 21)} ${4 + Math.floor(n / 21)}h1v1h-1z` : '')).join('') + '"/></svg>'
const CODES = Array.from({ length: 10 }, (_, n) => `${(n * 7919 + 12_345).toString(36).padStart(5, 'k')}-${(n * 104_729 + 54_321).toString(36).padStart(5, 'q')}`)
const CHALLENGE = { challenge: 'AAAA', rpId: 'localhost', timeout: 60_000 }

export function sessionOf(s) {
  const { me, role } = s.people
  const needs = s.wantsFirst ? 'setup' : s.people.second ? 'second_factor' : null
  const inside = s.signedIn && !needs
  return {
    signed_in: s.signedIn, needs, member: inside ? me : null, apps: inside ? s.apps.map(({ id, name }) => ({ id, name, role })) : [],
    permissions: inside ? { instance: me.super_admin ? INSTANCE : [], apps: Object.fromEntries(s.apps.map(({ id }) => [id, PERMISSIONS[role]])) } : { instance: [], apps: {} },
    session: inside ? { id: 'ses_1', expires_at: soon(14 * 1440), authenticated_at: soon(-1) } : null,
    ways: { password: true, passkey: true, oidc: s.people.providers.map(({ id, name }) => ({ id, name })) },
  }
}

function signIn(s, { email = '', password = '', setup_token: token }) {
  if (token === 'spent') throw new Refusal(403, 'setup_link_invalid', 'The set-up link is used up or has expired')
  if (password === 'locked') throw new Refusal(429, 'locked_out', 'Too many failed attempts', 'This account is locked for a while.', {}, { 'retry-after': '287' })
  if (password === 'wrong') throw new Refusal(401, 'sign_in_refused', 'E-mail address or password is wrong', '', { mend: 'Try again; whoever forgot the password asks an administrator for a reset link.' })
  s.signedIn = true
  s.people.second = !token && email.startsWith('two')
  return sessionOf(s)
}

/** What is sensitive wants a fresh confirmation, in the scene `stale` once. */
function fresh(s) {
  if (!s.people.fresh) throw new Refusal(403, 'reauthentication_required', 'This needs you to show again who you are')
}

const sensitive = (run) => (s, of) => (fresh(s), run(s, of))
const without = (rows, id) => rows.filter((row) => row.id !== id)
const one = (rows, id) => rows.find((row) => row.id === id)

export const ACCOUNT_ROUTES = {
  'GET /session': (s) => sessionOf(s),
  'POST /session': (s, { body }) => signIn(s, body),
  'DELETE /session': (s) => void (s.signedIn = s.people.second = false),
  'POST /session/second-factor': (s, { body }) => {
    if (body.code === '000000') throw new Refusal(401, 'second_factor_wrong', 'The code was not accepted', '', { mend: 'Use the code that the app shows now, or one of your recovery codes.' })
    s.people.second = false
    return sessionOf(s)
  },
  'POST /session/confirm': (s, { body }) => {
    if (body.password === 'wrong') throw new Refusal(401, 'sign_in_refused', 'The password is wrong')
    s.people.fresh = true
    return sessionOf(s)
  },
  'POST /session/passkey/options': () => ({ id: 'chl_1', options: CHALLENGE }),
  'GET /setup': (s, { headers }) => {
    if (headers['x-setup-token'] === 'spent') throw new Refusal(403, 'setup_link_invalid', 'The set-up link is used up or has expired')
    return { wants: s.wantsFirst ? 'first_member' : 'demo' }
  },
  'POST /setup': (s, { body }) => {
    Object.assign(s.people.me, { name: body.name, email: body.email })
    s.wantsFirst = false
    s.signedIn = true
    return sessionOf(s)
  },
  'POST /invitations/look': (s, { body }) => {
    if (body.token === 'spent') throw new Refusal(403, 'invitation_invalid', 'The invitation is used up, withdrawn or has expired')
    return { app: s.apps[0].name, role: 'viewer', email: 'jo@example.com', known: body.token === 'known' }
  },
  'POST /invitations/accept': (s) => ((s.signedIn = true), sessionOf(s)),
  'POST /password-reset': (s, { body }) => {
    if (body.token === 'spent') throw new Refusal(403, 'reset_link_invalid', 'The reset link is used up or has expired')
    if (body.new.startsWith('password')) throw new Refusal(422, 'password_too_weak', 'The password is too easy to guess', '', { mend: 'Use 10 characters or more that are no common password and not your e-mail address.' })
  },
  'GET /me': (s) => s.people.me,
  'PATCH /me': (s, { body }) => Object.assign(s.people.me, body),
  'POST /me/password': sensitive((s, { body }) => {
    if (body.current === 'wrong') throw new Refusal(401, 'sign_in_refused', 'The password is wrong')
  }),
  'GET /me/sessions': (s) => ({ data: s.people.sessions }),
  'DELETE /me/sessions': (s) => void (s.people.sessions = s.people.sessions.filter((row) => row.current)),
  'DELETE /me/sessions/:id': (s, { id }) => void (s.people.sessions = without(s.people.sessions, id)),
  'POST /me/totp': sensitive(() => ({ secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Tidings:anna@example.com', qr: QR })),
  'POST /me/totp/confirm': (s, { body }) => {
    if (body.code === '000000') throw new Refusal(401, 'second_factor_wrong', 'The code was not accepted', '', { mend: 'Use the code that the app shows now.' })
    Object.assign(s.people.me.two_factor, { totp: true, recovery_codes_left: 10 })
    return { recovery_codes: CODES }
  },
  'DELETE /me/totp': sensitive((s) => void Object.assign(s.people.me.two_factor, { totp: false, recovery_codes_left: 0 })),
  'POST /me/recovery-codes': sensitive(() => ({ recovery_codes: CODES })),
  'GET /me/passkeys': (s) => ({ data: s.people.passkeys }),
  'POST /me/passkeys/options': sensitive((s) => ({ id: 'chl_2', options: { ...CHALLENGE, rp: { id: 'localhost', name: 'Tidings' }, user: { id: 'AAAA', name: s.people.me.email, displayName: s.people.me.name }, pubKeyCredParams: [{ type: 'public-key', alg: -7 }] } })),
  'POST /me/passkeys': (s, { body }) => {
    const made = { id: `psk_${Date.now()}`, name: body.name, created_at: soon(0), last_used_at: null }
    s.people.passkeys.push(made)
    return made
  },
  'PATCH /me/passkeys/:id': (s, { id, body }) => Object.assign(one(s.people.passkeys, id), body),
  'DELETE /me/passkeys/:id': sensitive((s, { id }) => void (s.people.passkeys = without(s.people.passkeys, id))),
  'GET /members': (s) => ({ data: s.people.members }),
  'PATCH /members/:id': sensitive((s, { id, body }) => {
    const row = one(s.people.members, id)
    if (id === 'mem_1' && body.role && body.role !== 'owner') throw new Refusal(409, 'last_owner', 'The App would have no owner', '', { mend: 'Make somebody else an owner first.' })
    if ('disabled' in body) row.disabled_at = body.disabled ? soon(0) : null
    return Object.assign(row, body)
  }),
  'DELETE /members/:id': sensitive((s, { id }) => void (s.people.members = without(s.people.members, id))),
  'POST /members/:id/reset-link': sensitive(() => ({ link: `https://push.example.com/reset#${'0badcafe'.repeat(5)}`, expires_at: soon(1440) })),
  'GET /invitations': (s) => ({ data: s.people.invitations }),
  'POST /invitations': sensitive((s, { body }) => {
    const made = { id: `inv_${Date.now()}`, ...body, created_at: soon(0), expires_at: soon(7 * 1440), invited_by: s.people.me.name }
    s.people.invitations.unshift(made)
    return { ...made, link: `https://push.example.com/invite#${'0badcafe'.repeat(5)}` }
  }),
  'DELETE /invitations/:id': (s, { id }) => void (s.people.invitations = without(s.people.invitations, id)),
  'GET /audit': (s, { query }) => page(s.people.audit.filter((row) => ['actor', 'action'].every((name) => !query.get(name) || (name === 'actor' ? row.actor.id : row.action) === query.get(name))), query),
  'GET /audit/verify': (s) => (s.name === 'trouble' ? { ok: false, broken_at: 871 } : { ok: true, entries: s.people.audit.length, head: '9f2c'.repeat(16) }),
  'GET /sign-in/oidc': (s) => ({ data: s.people.providers }),
  'PUT /sign-in/oidc/:id': sensitive((s, { id, body }) => {
    const { client_secret: _, ...rest } = body
    s.people.providers = [...without(s.people.providers, id), { id, ...rest }]
    return one(s.people.providers, id)
  }),
  'DELETE /sign-in/oidc/:id': sensitive((s, { id }) => void (s.people.providers = without(s.people.providers, id))),
  'POST /sign-in/oidc/:id/test': (s, { id }) => {
    if (id !== 'google') throw new Refusal(401, 'oidc_failed', 'Signing in with the provider failed', 'Its discovery document answers 404.', { mend: 'Check the issuer’s address.' })
    return { ok: true }
  },
}

/** What a scene holds of accounts. */
export function accountsOf(scene) {
  return { name: scene, people: peopleOf(scene), wantsFirst: scene === 'first', signedIn: scene !== 'out' && scene !== 'first' }
}
