/** What a provider's sign-in ended with when it did not end well, from `/sign-in?error=<code>`. */

import { Problem } from './http'

const WORDS: Readonly<Record<string, readonly [title: string, detail: string, mend: string]>> = {
  oidc_failed: ['The provider did not sign you in', 'It was cancelled there, it took too long, or the provider answered something that cannot be trusted.', 'Try again. If it goes on, a super admin can press Test under Settings, Sign-in.'],
  forbidden: ['This account may not sign in here', 'The provider knows you, but nobody has let you in.', 'Ask an owner or admin for an invitation to this e-mail address.'],
  sign_in_refused: ['This account may not sign in here', 'It is unknown, or it was disabled.', 'Ask an owner or admin for an invitation.'],
  email_taken: ['This e-mail address belongs to somebody else here', 'The account was made in another way.', 'Sign in as you did before, then ask a super admin.'],
}

export function refusalFrom(code: string | null): Problem | undefined {
  if (!code) return undefined
  const [title, detail, mend] = WORDS[code] ?? ['You are not signed in', `The provider’s answer was refused (${code}).`, 'Try again, or use another way.']
  return new Problem({ code, status: 0, title, detail, mend })
}
