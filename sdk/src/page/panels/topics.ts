/** What the signed-in person follows: asked and changed by the page, without a panel. */
import type { Core } from "../core.ts";
import type { TopicsChange } from "./options.ts";
import { Person, Refused, SignedOut } from "./person.ts";

/** Do it, and give all that the person follows then. Rejects with an error of the page's own class. */
export async function topics(core: Core, change?: TopicsChange): Promise<string[]> {
  const Fault = core.TidingsError;
  try {
    const found = await new Person(core, undefined).topics(change);
    return found.topics.map(({ topic }) => topic);
  } catch (cause) {
    if (cause instanceof SignedOut) throw new Fault("signed_out", "Nobody is signed in with a token that holds. Call Tidings.login(id, token) first.", cause);
    const { code, detail, mend } = cause instanceof Refused ? cause.problem : {};
    if (code) throw new Fault(code, [detail, mend].filter(Boolean).join(" "), cause);
    throw new Fault("server_unreachable", "The Tidings server gave no answer that can be read. Try again.", cause);
  }
}
