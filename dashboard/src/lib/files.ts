/** Files that the page hands to the browser to keep. */

import { fetchFile } from './http'

/** Save something as a file. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

/** Fetch a file of the API and save it under the name that the server gives it, or `otherwise`. */
export async function download(path: string, query: Record<string, string | undefined>, otherwise: string): Promise<void> {
  const { name, blob } = await fetchFile(path, query)
  save(blob, name.includes('.') ? name : otherwise)
}

/** Recovery codes as a text that still says in a year what it is for. */
export function recoveryText(codes: readonly string[], of: { email: string; place: string }): string {
  return [`Recovery codes for Tidings at ${of.place}`, `Account: ${of.email}`, 'Each code works once, in place of the code from the authenticator app.', '', ...codes, ''].join('\n')
}
