// The plugin for Vite: sources are read before the build, so that no text can be missing in it.
import { relative } from 'node:path'

import { open, ROOT } from './catalogues.mjs'
import { firstSources } from './first.mjs'

/** What comes before the catalogue: it holds no text, and must not import what does. */
const BEFORE = /\/src\/lib\/language\.ts$|\/src\/locales\/|\/wuchale\/|vite\/preload-helper/
const SVELTE = /\/node_modules\/(svelte|esm-env|clsx)\//

export function translated() {
  let hub
  let dev = false
  return {
    name: 'tidings-translated',
    enforce: 'pre',
    /** What the first page needs is one file: it is fetched at once and compressed together. */
    config() {
      const first = firstSources(ROOT)
      const groups = [
        { name: 'before', test: (id) => BEFORE.test(id) && !id.includes('.compiled.'), priority: 2 },
        { name: 'first', test: (id) => SVELTE.test(id) || first.has(relative(ROOT, id.split('?')[0])), priority: 1 },
      ]
      return { build: { rolldownOptions: { output: { codeSplitting: { groups } } } } }
    },
    configResolved(config) {
      dev = config.command === 'serve'
    },
    async buildStart() {
      hub = await open({ mode: dev ? 'dev' : 'cli' })
    },
    async handleHotUpdate({ file, read, server }) {
      const change = await hub.onFileChange(file, read)
      if (change && !change.sourceTriggered && change.invalidate.size) server.ws.send({ type: 'full-reload' })
    },
    /** The application comes after the catalogue, which only the browser can choose; both are fetched at the same time. */
    transformIndexHtml(html, { bundle }) {
      if (!bundle) return
      const chunks = Object.values(bundle)
      const app = chunks.find((chunk) => chunk.facadeModuleId?.endsWith('/src/start.ts'))
      const entry = chunks.find((chunk) => chunk.isEntry)
      const known = new Set([entry.fileName, ...entry.imports])
      const styles = [...(app.viteMetadata?.importedCss ?? [])].map((file) => ({ tag: 'link', attrs: { rel: 'stylesheet', href: `/${file}` }, injectTo: 'head' }))
      const scripts = [app.fileName, ...app.imports].filter((file) => !known.has(file))
      return [...styles, ...scripts.map((file) => ({ tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` }, injectTo: 'head' }))]
    },
    async transform(code, id) {
      const [file, query] = id.split('?')
      if (query && !/^[vt]=[^&]*$/.test(query)) return
      const [output] = await hub.transform(code, file)
      return output.code === undefined ? undefined : output
    },
  }
}
