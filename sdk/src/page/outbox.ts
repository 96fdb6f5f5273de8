/** Tags and events of this device, kept until the server has them. */
import { call } from "../shared/upload.ts";
import { agreed, answer, isFinal } from "./device.ts";
import { TidingsError } from "./errors.ts";
import { waiting, type Waiting } from "./kept.ts";
import { origin } from "./options.ts";

const MOST = 100;

/** An id that this device gives to nothing else. */
const newId = (): string => Date.now().toString(36) + Math.random().toString(36);

/** Set tags; null takes one away. Before the device is registered they wait for it, as one. */
export async function setTags(tags: Record<string, unknown>): Promise<Record<string, string> | null> {
  const asText = Object.entries(tags).map(([name, value]) => {
    // As text it would be "[object Object]".
    if (Object(value) === value) throw new TidingsError("tag_invalid", `The tag ${name} is no text, number or boolean.`);
    return [name, value === null || value === undefined ? null : String(value)];
  });
  const id = newId();
  await waiting(origin(), (old) => {
    const before = old.find((one) => one.path === "/tags")?.told["tags"] as object | undefined;
    const told = { tags: { ...before, ...Object.fromEntries(asText) } };
    return [...old.filter((one) => one.path !== "/tags"), { id, path: "/tags", told }];
  });
  return ((await flush(id)) as { tags: Record<string, string> } | undefined)?.tags ?? null;
}

/** Say that something happened. Of a device that is not registered, nothing is kept. */
export async function track(name: string, properties: object): Promise<{ id: string } | null> {
  const kept = await agreed();
  if (!kept) return null;
  const event = newId();
  const one: Waiting = { id: event, path: "/events", told: { name, properties, event }, user: kept.user };
  await waiting(origin(), (old) => [...old, one].slice(-MOST));
  return ((await flush(event)) as { id: string } | undefined) ?? null;
}

/** Send what waits, and give the answer to one of them; its refusal is thrown, others' are the past. */
export async function flush(mine?: string): Promise<unknown> {
  const kept = await agreed();
  if (!kept) return undefined;
  let answered: unknown;
  for (const one of await waiting(origin(), (old) => old.filter(({ user }) => !user || user === kept.user))) {
    const isMine = one.id === mine;
    const given = await send(one, kept).catch(async (cause: unknown) => {
      if (!isFinal(cause)) throw cause;
      await drop(one);
      if (isMine) throw cause;
    });
    if (isMine) answered = given;
    await drop(one);
  }
  return answered;
}

const send = ({ path, told }: Waiting, { id, secret }: { id: string; secret: string }): Promise<unknown> =>
  answer(call(origin(), path === "/tags" ? "PUT" : "POST", path, { id, secret, ...told }));

const drop = (sent: Waiting): Promise<unknown> => waiting(origin(), (old) => old.filter((one) => one.id !== sent.id));
