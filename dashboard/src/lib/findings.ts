/** What a test of credentials or of a device looked at, in words; what each look showed, the server says. */

import type { Finding } from './api'

const LOOKS: Readonly<Record<string, string>> = {
  access_token: 'Access token of Google',
  send: 'Messages for the project',
  production: 'Apple, Production',
  sandbox: 'Apple, Sandbox',
  receiver: 'Your server',
  pair: 'Key pair',
  contact: 'Contact email',
  google: 'Chrome and most other browsers',
  mozilla: 'Firefox',
  apple: 'Safari, iPhone and iPad',
  microsoft: 'Edge',
  // The three hints when a test notification does not appear.
  permission: 'Has the device or browser granted permission?',
  subscription: 'Is the subscription still valid? They can expire.',
  credentials: 'Are the credentials correct and not expired?',
}

export function lookName(name: string): string {
  return LOOKS[name] ?? name.replaceAll('_', ' ')
}

/** Looks that showed the same fault, as a key does that is wrong in both environments, are told of once. */
export function alike(findings: readonly Finding[]): (Finding & { names: string[] })[] {
  const told: (Finding & { names: string[] })[] = []
  for (const one of findings) {
    const same = one.ok ? undefined : told.find((other) => !other.ok && other.detail === one.detail && other.mend === one.mend)
    if (same) same.names.push(one.name)
    else told.push({ ...one, names: [one.name] })
  }
  return told
}

export function knowsLook(name: string): boolean {
  return Object.hasOwn(LOOKS, name)
}
