/** Where a click may lead: https, or http on this machine; anything else leads to the site's start page. */
export function safeUrl(text: string | undefined, location: { href: string; origin: string }): string {
  try {
    const url = new URL(text || "/", location.origin);
    const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
    if (url.protocol === "https:" || (url.protocol === "http:" && local)) return url.href;
  } catch {
    // Not a URL.
  }
  return `${location.origin}/`;
}
