/** Where the SDK of an App is, and the addresses of the sites that may load it. */

/** Where the SDK of an App is served; short while the instance has only one. */
export function pushBase(server: string, app?: string): string {
  return app ? `${server}/v1/${app}/push` : `${server}/push`
}

/** A site's origin from what was typed: `https://www.example.com`, or undefined when it is none. */
export function originFrom(text: string): string | undefined {
  const typed = text.trim()
  if (!typed) return undefined
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed}`)
    const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) return undefined
    return local || url.hostname.includes('.') ? url.origin : undefined
  } catch {
    return undefined
  }
}
