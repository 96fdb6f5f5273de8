import { describe, expect, it } from 'vitest'

import { Problem } from '../src/lib/http'
import { assertionFrom, attestationFrom, bytesFrom, creationFrom, passkeyProblem, requestFrom, textFrom } from '../src/lib/passkey'

const bytes = (...values: number[]) => new Uint8Array(values).buffer

const credential = (response: object) =>
  ({ id: '-_8', rawId: bytes(0xfb, 0xff), type: 'public-key', authenticatorAttachment: 'platform', getClientExtensionResults: () => ({}), response }) as unknown as PublicKeyCredential

describe('base64url', () => {
  it.each([[[], ''], [[0xfb, 0xff], '-_8'], [[0, 1, 2], 'AAEC'], [[255], '_w']])('writes %j as %j and reads it again', (values, text) => {
    expect(textFrom(bytes(...values))).toBe(text)
    expect([...bytesFrom(text)]).toEqual(values)
  })
})

describe('options', () => {
  it('become buffers for the browser, and the rest stays', () => {
    const request = requestFrom({ challenge: 'AAEC', rpId: 'localhost', allowCredentials: [{ id: '-_8', type: 'public-key', transports: ['usb'] }] })
    expect([...new Uint8Array(request.challenge as ArrayBuffer)]).toEqual([0, 1, 2])
    expect([...new Uint8Array(request.allowCredentials![0]!.id as ArrayBuffer)]).toEqual([0xfb, 0xff])
    expect(request.rpId).toBe('localhost')
    const creation = creationFrom({ challenge: 'AAEC', rp: { name: 'Tidings' }, user: { id: '-_8', name: 'a', displayName: 'A' }, pubKeyCredParams: [{ type: 'public-key', alg: -7 }], excludeCredentials: [{ id: '_w', type: 'public-key' }] })
    expect([...new Uint8Array(creation.user.id as ArrayBuffer)]).toEqual([0xfb, 0xff])
    expect([...new Uint8Array(creation.excludeCredentials![0]!.id as ArrayBuffer)]).toEqual([255])
  })
})

describe('answers', () => {
  it('become JSON for the server', () => {
    const signed = assertionFrom(credential({ clientDataJSON: bytes(1), authenticatorData: bytes(2), signature: bytes(3), userHandle: null }))
    expect(signed).toEqual({ id: '-_8', rawId: '-_8', type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {}, response: { clientDataJSON: 'AQ', authenticatorData: 'Ag', signature: 'Aw', userHandle: null } })
    const made = attestationFrom(credential({ clientDataJSON: bytes(1), attestationObject: bytes(2), getTransports: () => ['internal'] }))
    expect(made.response).toEqual({ clientDataJSON: 'AQ', attestationObject: 'Ag', transports: ['internal'] })
  })
})

describe('passkeyProblem', () => {
  it('has words for what browsers say, and passes on the rest', () => {
    expect((passkeyProblem(new DOMException('', 'NotAllowedError')) as Problem).code).toBe('passkey_closed')
    expect((passkeyProblem(new DOMException('', 'InvalidStateError')) as Problem).code).toBe('passkey_known')
    const other = new Error('x')
    expect(passkeyProblem(other)).toBe(other)
  })
})
