/** What the SDK keeps about this device; it shares our origin, and both come out of the same package. */

export const DATABASE = 'tidings'
export const STORE = 'kept'
export const RECORD = 'device'

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result)
    request.onerror = () => failed(request.error)
  })
}

/** The id of this device's subscription in that App, undefined when it has none. */
export async function keptId(app: string): Promise<string | undefined> {
  const opening = indexedDB.open(DATABASE)
  let missing = false
  opening.onupgradeneeded = () => {
    // The SDK makes its database itself; an empty one made here would be in its way.
    missing = true
    opening.transaction?.abort()
  }
  let database: IDBDatabase
  try {
    database = await settled(opening)
  } catch (reason) {
    if (missing) return undefined
    throw reason
  }
  try {
    const kept = (await settled(database.transaction(STORE).objectStore(STORE).get(RECORD))) as { id: string; app: string } | undefined
    return kept?.app === app ? kept.id : undefined
  } finally {
    database.close()
  }
}
