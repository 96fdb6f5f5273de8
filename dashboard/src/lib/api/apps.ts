/** Apps, and what connects a site to one. */

import { getAny, type Page, sendAny } from './calls'

export interface App {
  id: string
  name: string
  origins: string[]
  web_push_enabled: boolean
  created_at: string
}

/** One way in: what to do, and the code for it. */
export interface Snippet {
  way: 'file' | 'worker' | 'npm'
  title: string
  when: string
  steps: { title: string; code: string }[]
}

export interface Snippets {
  server: string
  snippets: Snippet[]
  policy: string
  check: string
}

export const apps = {
  apps: () => getAny<Page<App>>('/apps', undefined, { limit: 200 }),
  createApp: (name: string, origins: string[]) => sendAny<App>('POST', '/apps', { name, origins }),
  snippets: (app: string, signal?: AbortSignal) => getAny<Snippets>(`/apps/${app}/snippets`, signal),
  setWebPush: (app: string, enabled: boolean) => sendAny<App>('PATCH', `/apps/${app}`, { web_push_enabled: enabled }),
  setOrigins: (app: string, origins: string[]) => sendAny<App>('PATCH', `/apps/${app}`, { origins }),
}
