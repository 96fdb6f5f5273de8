/** Passkeys (WebAuthn level 3) between the browser's buffers and the API's JSON, where binary is base64url without padding. */

import { Problem } from './http'

type Base64url = string

interface DescriptorJSON {
  id: Base64url
  type: 'public-key'
  transports?: string[]
}

export interface RequestOptionsJSON {
  challenge: Base64url
  timeout?: number
  rpId?: string
  allowCredentials?: DescriptorJSON[]
  userVerification?: UserVerificationRequirement
}

export interface CreationOptionsJSON {
  rp: PublicKeyCredentialRpEntity
  user: { id: Base64url; name: string; displayName: string }
  challenge: Base64url
  pubKeyCredParams: PublicKeyCredentialParameters[]
  timeout?: number
  excludeCredentials?: DescriptorJSON[]
  authenticatorSelection?: AuthenticatorSelectionCriteria
  attestation?: AttestationConveyancePreference
}

interface CredentialJSON<Answer> {
  id: Base64url
  rawId: Base64url
  type: string
  authenticatorAttachment: string | null
  clientExtensionResults: Record<string, unknown>
  response: Answer
}

export type AssertionJSON = CredentialJSON<{ clientDataJSON: Base64url; authenticatorData: Base64url; signature: Base64url; userHandle: Base64url | null }>
export type AttestationJSON = CredentialJSON<{ clientDataJSON: Base64url; attestationObject: Base64url; transports: string[] }>

export function bytesFrom(text: Base64url): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

export function textFrom(bytes: ArrayBuffer): Base64url {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const described = (of: DescriptorJSON): PublicKeyCredentialDescriptor => ({
  id: bytesFrom(of.id), type: of.type, ...(of.transports ? { transports: of.transports as AuthenticatorTransport[] } : {}),
})

export function requestFrom({ challenge, allowCredentials, ...rest }: RequestOptionsJSON): PublicKeyCredentialRequestOptions {
  return { ...rest, challenge: bytesFrom(challenge), ...(allowCredentials ? { allowCredentials: allowCredentials.map(described) } : {}) }
}

export function creationFrom({ challenge, user, excludeCredentials, ...rest }: CreationOptionsJSON): PublicKeyCredentialCreationOptions {
  return {
    ...rest, challenge: bytesFrom(challenge), user: { ...user, id: bytesFrom(user.id) },
    ...(excludeCredentials ? { excludeCredentials: excludeCredentials.map(described) } : {}),
  }
}

function credentialFrom<Answer>(credential: PublicKeyCredential, response: Answer): CredentialJSON<Answer> {
  return {
    id: credential.id, rawId: textFrom(credential.rawId), type: credential.type, response,
    authenticatorAttachment: credential.authenticatorAttachment ?? null,
    clientExtensionResults: credential.getClientExtensionResults() as Record<string, unknown>,
  }
}

export function assertionFrom(credential: PublicKeyCredential): AssertionJSON {
  const response = credential.response as AuthenticatorAssertionResponse
  return credentialFrom(credential, {
    clientDataJSON: textFrom(response.clientDataJSON), authenticatorData: textFrom(response.authenticatorData),
    signature: textFrom(response.signature), userHandle: response.userHandle ? textFrom(response.userHandle) : null,
  })
}

export function attestationFrom(credential: PublicKeyCredential): AttestationJSON {
  const response = credential.response as AuthenticatorAttestationResponse
  return credentialFrom(credential, {
    clientDataJSON: textFrom(response.clientDataJSON), attestationObject: textFrom(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  })
}

/** Whether this browser knows passkeys at all; a page over plain http does not. */
export function knowsPasskeys(): boolean {
  return typeof PublicKeyCredential === 'function' && 'credentials' in navigator
}

/** Whether passkeys can be offered in the e-mail field itself. */
export async function offersPasskeys(): Promise<boolean> {
  return knowsPasskeys() && (await PublicKeyCredential.isConditionalMediationAvailable?.().catch(() => false)) === true
}

const CLOSED = new Problem({
  code: 'passkey_closed', status: 0, title: 'No passkey was used',
  detail: 'The browser’s question was closed, or it took too long.', mend: 'Try again, or use another way.',
})
const KNOWN = new Problem({
  code: 'passkey_known', status: 0, title: 'This device has a passkey for you already',
  detail: 'One passkey for each device or password manager is enough.', mend: 'Use another device or security key, or remove the passkey that is there.',
})

/** What the browser says when no passkey came of it, in words; anything else is passed on as it is. */
export function passkeyProblem(reason: unknown): unknown {
  if (!(reason instanceof DOMException)) return reason
  if (reason.name === 'NotAllowedError' || reason.name === 'AbortError' || reason.name === 'TimeoutError') return CLOSED
  if (reason.name === 'InvalidStateError') return KNOWN
  if (reason.name === 'SecurityError') {
    return new Problem({
      code: 'passkey_origin', status: 0, title: 'Passkeys do not work at this address',
      detail: `This page was opened at ${location.host}, which is not the address that Tidings is set up for.`,
      mend: 'Open the dashboard at its public address (`TIDINGS_PUBLIC_URL`), over https.',
    })
  }
  return reason
}

/** Ask for a passkey to sign in with; `quietly` offers it in the autofill of a field and waits until one is chosen. */
export async function assertion(options: RequestOptionsJSON, { quietly = false, signal }: { quietly?: boolean; signal?: AbortSignal } = {}): Promise<AssertionJSON> {
  const found = await navigator.credentials.get({
    publicKey: requestFrom(options), ...(quietly ? { mediation: 'conditional' as const } : {}), ...(signal ? { signal } : {}),
  })
  if (!found) throw CLOSED
  return assertionFrom(found as PublicKeyCredential)
}

/** Make a passkey. */
export async function attestation(options: CreationOptionsJSON): Promise<AttestationJSON> {
  const made = await navigator.credentials.create({ publicKey: creationFrom(options) })
  if (!made) throw CLOSED
  return attestationFrom(made as PublicKeyCredential)
}
