/** Which addresses are pages of the dashboard. */

export const SERVED_ELSEWHERE = ['/api', '/push', '/v1', '/docs', '/openapi.json', '/livez', '/readyz', '/metrics']

export function ours(path: string): boolean {
  return !SERVED_ELSEWHERE.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
}
