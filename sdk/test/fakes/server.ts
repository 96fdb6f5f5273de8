/** The public API of one App, as far as a device can tell. */
export const SERVER = "https://push.example";
export const APP = "app_1";

export interface Call {
  url: string;
  method: string;
  path: string;
  body: Record<string, unknown>;
  init: RequestInit;
}

/** A public key of 65 bytes, told apart by one letter. */
export const keyOf = (letter: string): string => `B${letter.repeat(85)}A`;

export class Server {
  calls: Call[] = [];
  counted: string[] = [];
  key = keyOf("k");
  down = false;
  /** Answers instead of the usual ones, by `METHOD /path`. */
  readonly instead = new Map<string, () => Response | Promise<Response>>();
  readonly devices = new Map<string, { id: string; secret: string; user: string | undefined }>();

  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const path = url.replace(/^.*\/push(?=\/)/, "");
    const method = init.method ?? "GET";
    const body = (init.body ? JSON.parse(String(init.body)) : {}) as Record<string, unknown>;
    // What is counted is no call that anything waits for.
    if (path.startsWith("/funnel/")) this.counted.push(path.slice("/funnel/".length));
    else this.calls.push({ url, method, path, body, init });
    if (this.down) throw new TypeError("Failed to fetch");
    const other = this.instead.get(`${method} ${path}`);
    if (other) return other();
    if (path === "/vapid-key") return json({ public_key: this.key });
    if (path === "/receipts" || path.startsWith("/funnel/")) return json({}, 202);
    if (method === "DELETE") return new Response(null, { status: 204 });
    return this.subscribe(body);
  };

  private subscribe(body: Record<string, unknown>): Response {
    const { endpoint } = body["subscription"] as { endpoint: string };
    const user = (body["user"] as { id: string } | undefined)?.id;
    const known = this.devices.get(endpoint);
    if (!known) {
      const number = this.devices.size + 1;
      const made = { id: `sub_${number}`, secret: `secret-${number}`, user };
      this.devices.set(endpoint, made);
      return json({ id: made.id, secret: made.secret, status: "active" }, 201);
    }
    if (body["secret"] === known.secret) {
      known.user = user;
      return json({ id: known.id, secret: known.secret, status: "active" });
    }
    if (user !== undefined && user !== known.user) return problem(403, "subscription_secret_required");
    return json({ id: known.id, status: "active" });
  }

  /** The calls to a path, newest last. */
  to(path: string, method = "POST"): Call[] {
    return this.calls.filter((call) => call.path === path && call.method === method);
  }
}

export const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });

export const problem = (status: number, code: string): Response =>
  json({ code, status, detail: `It is ${code}.`, mend: "Mend it so." }, status);
