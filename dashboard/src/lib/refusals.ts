/** What a provider's sign-in ended with when it did not end well, from `/sign-in?error=<code>`. */

import { Problem } from './http'

const WORDS: Readonly<Record<string, readonly [title: string, detail: string, mend: string]>> = {
  oidc_failed: ['The provider did not sign you in', 'It was cancelled there, it took too long, or the provider answered something that cannot be trusted.', 'Try again. If it goes on, a super admin can press Test under Settings, Sign-in.'],
  forbidden: ['This account may not sign in here', 'The provider knows you, but nobody has let you in.', 'Ask an owner or admin for an invitation to this e-mail address.'],
  sign_in_refused: ['This account may not sign in here', 'It is unknown, or it was disabled.', 'Ask an owner or admin for an invitation.'],
  email_taken: ['This e-mail address belongs to somebody else here', 'The account was made in another way.', 'Sign in as you did before, then ask a super admin.'],
}

/** Why a provider did not confirm who one is, from `/confirmed?error=<code>`. */
export function unconfirmedFrom(code: string | null): Problem | undefined {
  if (!code) return undefined
  return new Problem({
    code, status: 0, title: 'The provider did not confirm that it is you',
    detail: 'It was cancelled there, it named another account than yours, or it did not ask again who you are.',
    mend: 'Try again with the account that you signed in with.',
  })
}

/** Why an account was not connected with a provider, from `/settings/profile?error=<code>`. */
export function unconnectedFrom(code: string | null): Problem | undefined {
  if (!code) return undefined
  return new Problem({
    code, status: 0, title: 'Your account was not connected',
    detail: 'It was cancelled there, the address is not of a domain that this provider signs in for, or another account here has it already.',
    mend: 'Try again with your address at work, or ask a super admin.',
  })
}

/** The address is anybody's to write: what is no code is not repeated. */
export function refusalFrom(code: string | null): Problem | undefined {
  if (!code) return undefined
  if (!/^[a-z_]{1,40}$/.test(code)) code = 'unknown'
  const [title, detail, mend] = WORDS[code] ?? ['You are not signed in', `The provider’s answer was refused (${code}).`, 'Try again, or use another way.']
  return new Problem({ code, status: 0, title, detail, mend })
}
