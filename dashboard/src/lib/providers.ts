/** OpenID Connect providers as they are set up: ids, addresses, and where the well-known ones have their issuer. */

/** An id for a new provider: short, from its name, and not one that is there. */
export function idFrom(name: string, taken: readonly string[]): string {
  const base = name.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 32) || 'provider'
  let id = base
  for (let n = 2; taken.includes(id); n += 1) id = `${base}-${n}`
  return id
}

/** The address that the provider sends people back to; it has to be entered there. */
export function redirectOf(base: string, id: string): string {
  return `${base.replace(/\/+$/, '')}/api/v1/session/oidc/${encodeURIComponent(id)}/callback`
}

/** "example.com, example.org" as a list, without @ and doubles. */
export function domainsFrom(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).map((one) => one.replace(/^@/, '').toLowerCase()).filter(Boolean))]
}

export const KNOWN: readonly [name: string, issuer: string][] = [
  ['Google', 'https://accounts.google.com'],
  ['Microsoft Entra', 'https://login.microsoftonline.com/<tenant id>/v2.0'],
  ['Keycloak', 'https://<your Keycloak>/realms/<realm>'],
  ['Authentik', 'https://<your authentik>/application/o/<slug>/'],
]

/** What is wrong with an issuer, in words. */
export function issuerFault(issuer: string): string | undefined {
  if (/[<>]/.test(issuer)) return 'Put your own names in place of what stands in < >.'
  return /^https:\/\/[^/\s]+/.test(issuer.trim()) || /^http:\/\/(localhost|127\.0\.0\.1)/.test(issuer.trim()) ? undefined : 'Write the issuer’s address, which begins with https://.'
}
