import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vitest/config'

import { translated } from './translate/vite.mjs'

// `TIDINGS_SERVER=http://localhost:8080 npm run dev` develops against a running server, otherwise against the mock.
const server = process.env.TIDINGS_SERVER

const mock = {
  name: 'tidings-mock-api',
  apply: 'serve' as const,
  async configureServer(vite: { middlewares: { use(handler: unknown): void } }) {
    if (server) return
    const { mockApi } = await import('./dev/mock.mjs')
    vite.middlewares.use(mockApi({ scene: process.env.SCENE ?? 'busy' }))
  },
}

export default defineConfig({
  // Tests read the sources' own texts, which are English.
  plugins: [tailwindcss(), ...(process.env.VITEST ? [] : [translated(), mock]), svelte()],
  build: {
    outDir: '../src/tidings/web/static/dashboard',
    emptyOutDir: true,
    // The Content-Security-Policy allows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  server: server
    ? { proxy: Object.fromEntries(['/api', '/push', '/v1', '/docs'].map((path) => [path, { target: server }])) }
    : {},
  test: { include: ['tests/**/*.test.{ts,mjs}'], environment: 'node' },
})
