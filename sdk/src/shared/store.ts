/** What page and worker remember together, in IndexedDB: this device, what was shown, receipts not yet sent. */
import type { Origin } from "./config.ts";

export interface Device extends Origin {
  id: string;
  secret: string;
  endpoint: string;
  key: string;
  user?: string | undefined;
  seen: number;
  digest: string;
}

export interface Receipt {
  delivery: string;
  token: string;
  event: "shown" | "clicked" | "closed" | "answered";
  action?: string;
}

const NAME = "tidings";
const STORE = "kept";
const SHOWN = 50;
const WAITING = 100;
const PATIENCE = 2_000;

/** Private windows may forbid IndexedDB or never answer; then this serves until the page or worker ends. */
const memory = new Map<string, unknown>();
let broken = false;

type Next<T> = (old: T | undefined) => T | undefined;

function inDatabase<T>(key: string, next: Next<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE);
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onerror = reject;
    request.onsuccess = () => {
      const database = request.result;
      const transaction = database.transaction(STORE, "readwrite");
      const store = transaction.objectStore(STORE);
      const got = store.get(key) as IDBRequest<T | undefined>;
      let value: T | undefined;
      got.onsuccess = () => {
        value = next(got.result);
        if (value === undefined) store.delete(key);
        else if (value !== got.result) store.put(value, key);
      };
      transaction.oncomplete = () => resolve(value);
      transaction.onabort = reject;
      // Once this is done.
      database.close();
    };
  });
}

/** Change what is kept under a key, in one step, and give it. Never rejects. */
export async function change<T>(key: string, next: Next<T>): Promise<T | undefined> {
  if (!broken) {
    try {
      return await inDatabase(key, next);
    } catch {
      broken = true;
    }
  }
  const value = next(memory.get(key) as T | undefined);
  memory.set(key, value);
  return value;
}

/** A scope holds one subscription; on a dashboard of several Apps there are several. */
const under = (scope: string, what: string): string => `${what} ${scope}`;

export const changeDevice = (scope: string, next: Next<Device>): Promise<Device | undefined> =>
  change(under(scope, "device"), next);
export const device = (scope: string): Promise<Device | undefined> => changeDevice(scope, (kept) => kept);

/** What the person last chose here; it outlives the subscription, so that "off" stays off. */
export type Wish = "on" | "off";
export const wish = (scope: string, now?: Wish): Promise<Wish | undefined> =>
  change<Wish>(under(scope, "wish"), (old) => now ?? old);

/** Note that a delivery was shown, or only `look`; false when it was shown before. */
export async function firstShown(scope: string, delivery: string, look?: boolean): Promise<boolean> {
  let first = true;
  await change<string[]>(under(scope, "shown"), (old = []) => {
    first = !old.includes(delivery);
    return first && !look ? [...old, delivery].slice(-SHOWN) : old;
  });
  return first;
}

const changeReceipts = (scope: string, next: (old: Receipt[]) => Receipt[]): Promise<Receipt[]> =>
  change<Receipt[]>(under(scope, "receipts"), (old = []) => next(old)) as Promise<Receipt[]>;

export const addReceipt = (scope: string, receipt: Receipt): Promise<unknown> =>
  changeReceipts(scope, (old) => [...old, receipt].slice(-WAITING));

export const receipts = (scope: string): Promise<Receipt[]> => changeReceipts(scope, (old) => old);

export const dropReceipt = (scope: string, sent: Receipt): Promise<unknown> =>
  changeReceipts(scope, (old) => old.filter((one) => JSON.stringify(one) !== JSON.stringify(sent)));
