/** Content-Security-Policy: whether it lets the SDK load, call its server and import its worker. */
type Policy = Map<string, string[]>;

export const policiesFrom = (header: string | null): Policy[] =>
  (header ?? "")
    .split(",")
    .map((one) => new Map(one.split(";").flatMap((part) => directive(part.trim()))))
    .filter((one) => one.size > 0);

function directive(text: string): [string, string[]][] {
  const [name, ...sources] = text.split(/\s+/);
  return name ? [[name.toLowerCase(), sources]] : [];
}

/** What governs a directive that a policy does not name. */
const INSTEAD: Record<string, string[]> = {
  "script-src-elem": ["script-src", "default-src"],
  "connect-src": ["default-src"],
  "worker-src": ["child-src", "script-src", "default-src"],
  "script-src": ["default-src"],
};

/** Whether a policy lets an address through; undefined where that depends on more than the address. */
export function isAllowed(policy: Policy, name: string, url: string, page: string): boolean | undefined {
  const governing = [name, ...(INSTEAD[name] ?? [])].find((one) => policy.has(one));
  const sources = governing ? (policy.get(governing) ?? []) : ["*"];
  // A script that was let in by its nonce may import others.
  if (sources.some((one) => one.toLowerCase() === "'strict-dynamic'")) return undefined;
  return sources.some((source) => matches(source, new URL(url), new URL(page)));
}

function matches(source: string, url: URL, page: URL): boolean {
  const lower = source.toLowerCase();
  if (lower === "'self'") return url.origin === page.origin;
  if (lower === "*") return /^(https?|wss?):$/.test(url.protocol);
  if (/^[a-z][a-z0-9+.-]*:$/.test(lower)) return isScheme(lower, url.protocol);
  const parts = /^(?:([a-z][a-z0-9+.-]*:)\/\/)?(\*|(?:\*\.)?[^:/]+)(?::(\d+|\*))?(\/[^?#]*)?$/i.exec(source);
  if (!parts) return false;
  const [, scheme = page.protocol, host = "", port, path = ""] = parts;
  return (
    isScheme(scheme.toLowerCase(), url.protocol) &&
    isHost(host.toLowerCase(), url.hostname) &&
    (port === "*" || (port ?? "") === url.port || (!url.port && port === { "https:": "443", "http:": "80" }[url.protocol])) &&
    (path === "" || (path.endsWith("/") ? url.pathname.startsWith(path) : url.pathname === path))
  );
}

const isScheme = (allowed: string, scheme: string): boolean => allowed === scheme || (allowed === "http:" && scheme === "https:");

const isHost = (allowed: string, host: string): boolean =>
  allowed === "*" || (allowed.startsWith("*.") ? host.endsWith(allowed.slice(1)) : allowed === host);

/** Whether Trusted Types are required and a policy of our name is not allowed. */
export const forbidsOurPolicy = (policy: Policy): boolean =>
  policy.has("require-trusted-types-for") && policy.has("trusted-types") && !policy.get("trusted-types")?.some((one) => one === "tidings" || one === "*");
