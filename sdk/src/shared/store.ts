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

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return asked(request);
}

async function change<T>(key: string, next: (old: T | undefined) => T | undefined): Promise<T | undefined> {
  const database = await opened();
  try {
    const transaction = database.transaction(STORE, "readwrite");
    const store = transaction.objectStore(STORE);
    const value = next((await asked(store.get(key))) as T | undefined);
    await (value === undefined ? asked(store.delete(key)) : asked(store.put(value, key)));
    return value;
  } finally {
    database.close();
  }
}

async function read<T>(key: string): Promise<T | undefined> {
  const database = await opened();
  try {
    return (await asked(database.transaction(STORE).objectStore(STORE).get(key))) as T | undefined;
  } finally {
    database.close();
  }
}

export const device = (): Promise<Device | undefined> => read<Device>("device");
export const keepDevice = (kept: Device | undefined): Promise<unknown> => change<Device>("device", () => kept);

/** Note that a delivery was shown; false when it was shown before. */
export async function firstShown(delivery: string): Promise<boolean> {
  let first = true;
  await change<string[]>("shown", (old = []) => {
    first = !old.includes(delivery);
    return [...old.filter((one) => one !== delivery), delivery].slice(-SHOWN);
  });
  return first;
}

export const addReceipt = (receipt: Receipt): Promise<unknown> =>
  change<Receipt[]>("receipts", (old = []) => [...old, receipt].slice(-WAITING));

export const receipts = async (): Promise<Receipt[]> => (await read<Receipt[]>("receipts")) ?? [];

export const dropReceipt = (sent: Receipt): Promise<unknown> =>
  change<Receipt[]>("receipts", (old = []) =>
    old.filter((one) => one.delivery !== sent.delivery || one.event !== sent.event || one.action !== sent.action),
  );
