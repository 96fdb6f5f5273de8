import { svelte } from '@sveltejs/vite-plugin-svelte'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vitest/config'

import { translated } from './translate/vite.mjs'

// `npm run dev` develops against a running server, such as that of `tidings up --demo`.
const target = process.env.TIDINGS_SERVER ?? 'http://localhost:8080'

export default defineConfig({
  // Tests read the sources' own texts, which are English.
  plugins: [tailwindcss(), ...(process.env.VITEST ? [] : [translated()]), svelte()],
  build: {
    outDir: '../src/tidings/web/static/dashboard',
    emptyOutDir: true,
    // The Content-Security-Policy allows no data: fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  server: { proxy: Object.fromEntries(['/api', '/push', '/v1', '/docs'].map((path) => [path, { target }])) },
  test: { include: ['tests/**/*.test.{ts,mjs}'], environment: 'node' },
})
