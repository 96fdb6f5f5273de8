/** Credentials as people have them, in files and pasted: what can be read out of them and what is missing, before anybody is asked. */

import type { Upload } from './api'
import { contactFault, subjectFrom } from './contact'

/** The fields of a form; which of them are sent, `uploadFrom` says. */
export type Fields = Record<string, string>
export type FieldFaults = Record<string, string | undefined>

/** What each form begins with. */
export const EMPTY: Readonly<Record<string, Fields>> = {
  fcm: { service_account: '', project_id: '', messages_per_minute: '' },
  apns: { auth: 'key', key: '', key_id: '', team_id: '', bundle_id: '', certificate: '', password: '', environment: 'production' },
  webpush: { source: 'own', public_key: '', private_key: '', subject: '' },
  webhook: { url: '', secret: '' },
}

const SENT: Readonly<Record<string, (fields: Fields) => readonly string[]>> = {
  fcm: () => ['service_account', 'project_id', 'messages_per_minute'],
  apns: ({ auth }) => (auth === 'certificate' ? ['certificate', 'password', 'bundle_id', 'environment'] : ['key', 'key_id', 'team_id', 'bundle_id', 'environment']),
  webpush: () => ['private_key', 'public_key', 'subject'],
  webhook: () => ['url', 'secret'],
}

/** What is sent of a form: what belongs to the way that was chosen, without what is empty. */
export function uploadFrom(provider: string, fields: Fields): Upload {
  const names = SENT[provider]?.(fields) ?? []
  const pairs = names.map((name) => [name, name === 'subject' ? subjectFrom(fields[name] ?? '') : name === 'password' ? (fields[name] ?? '') : (fields[name] ?? '').trim()] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''))
}

/** What of a service account's file is shown before it is sent; the private key is not looked at. */
export interface Account {
  projectId: string
  email: string
  /** In what project-wide account it may do more than send messages. */
  broad: boolean
}

/** Read a service account's JSON; a string says what is wrong with it. The server checks the rest. */
export function accountFrom(text: string): Account | string {
  const bare = text.replace(/^\ufeff/, '').trim()
  if (!bare) return 'Upload the JSON file, or paste what is in it.'
  let read: unknown
  try {
    read = JSON.parse(bare)
  } catch {
    return 'This is not JSON, or not all of it. Paste the whole file, from { to }.'
  }
  const of = (typeof read === 'object' && read !== null ? read : {}) as Record<string, unknown>
  if (of.project_info) return 'This is google-services.json, which belongs into the Android app. The service account’s key is another file.'
  if (of.type !== 'service_account') return 'This is not the key of a service account. Its file has "type": "service_account" in it.'
  const email = String(of.client_email ?? '')
  return { projectId: String(of.project_id ?? ''), email, broad: /firebase-adminsdk|@appspot\.|-compute@developer\./.test(email) }
}

/** The Key ID in the name that Apple gives to a key's file: AuthKey_2X9R4HXF34.p8. */
export function keyIdFrom(fileName: string): string {
  return /AuthKey_([A-Z0-9]{10})\b/i.exec(fileName)?.[1]?.toUpperCase() ?? ''
}

/** Both keys out of what `npx web-push generate-vapid-keys` prints, with or without --json; undefined for anything else. */
export function vapidPairFrom(text: string): { public_key: string; private_key: string } | undefined {
  const found = (name: string) => new RegExp(`${name}["']?[\\s_]*key["']?\\s*[:=]\\s*["']?([A-Za-z0-9_+/=-]{40,90})`, 'i').exec(text)?.[1]
  const publicKey = found('public'), privateKey = found('private')
  return publicKey && privateKey ? { public_key: publicKey, private_key: privateKey } : undefined
}

export function base64From(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

const needed = (fields: Fields, words: Readonly<Record<string, string>>): FieldFaults =>
  Object.fromEntries(Object.entries(words).filter(([name]) => !fields[name]?.trim()))

const FAULTS: Readonly<Record<string, (fields: Fields) => FieldFaults>> = {
  fcm: ({ service_account = '', messages_per_minute = '' }) => {
    const account = accountFrom(service_account)
    return {
      ...(typeof account === 'string' ? { service_account: account } : {}),
      ...(/^[1-9][0-9]*$|^$/.test(messages_per_minute.trim()) ? {} : { messages_per_minute: 'Write a whole number, in digits alone, or nothing for Google’s usual 600\u202f000.' }),
    }
  },
  apns: (fields) =>
    fields.auth === 'certificate'
      ? needed(fields, { certificate: 'Upload the .p12 file.' })
      : needed(fields, {
          key: 'Upload the .p8 file. Apple lets you download it once.', key_id: 'It has 10 letters and digits, and is in the file’s name.',
          team_id: 'It has 10 letters and digits, under Membership details.', bundle_id: 'It looks like com.example.app, and is in Xcode under Signing & Capabilities.',
        }),
  webpush: (fields) => ({
    ...(fields.source === 'own' ? needed(fields, { public_key: 'Enter the public key; it has 87 characters.', private_key: 'Enter the private key; it has 43 characters.' }) : {}),
    subject: contactFault(fields.subject ?? ''),
  }),
  webhook: (fields) => needed(fields, { url: 'Enter the https:// address that takes the messages.', secret: 'Enter the secret that messages are signed with.' }),
}

/** What is missing or cannot be, by field; fields without a fault are undefined or absent. */
export function faultsOf(provider: string, fields: Fields): FieldFaults {
  return FAULTS[provider]?.(fields) ?? {}
}

export function isComplete(faults: FieldFaults): boolean {
  return Object.values(faults).every((fault) => !fault)
}

/** Whose key it is decides whether devices stay: what the server says of a field, and of codes that name none. */
const OF_CODE: Readonly<Record<string, string>> = { contact_invalid: 'subject', vapid_key_invalid: 'private_key', vapid_key_mismatch: 'public_key' }

/** The server's faults by the form's fields, whichever way it named them. */
export function faultsFrom(problem: { code: string; detail: string; faults: readonly { field: string; message: string }[] }): Record<string, string> {
  const named = problem.faults.map(({ field, message }) => [field.replace(/^(body\.)?(credentials\.)?/, ''), message] as const)
  if (named.length) return Object.fromEntries(named)
  const field = OF_CODE[problem.code]
  return field ? { [field]: problem.detail } : {}
}
