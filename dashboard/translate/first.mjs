// Which sources are there before the first page is: what start.ts imports, and what that imports; `import(…)` comes later.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'

const IMPORT = /^\s*(?:import|export)\b[^'"()]*?from\s*['"](\.[^'"]+)['"]|^\s*import\s*['"](\.[^'"]+)['"]/gm

const fileOf = (path) => ['', '.ts', '/index.ts'].map((end) => path + end).find((file) => /\.(svelte|ts)$/.test(file) && existsSync(file))

/** Paths below `root` of every source that the application needs at once. */
export function firstSources(root, start = 'src/start.ts') {
  const found = new Set([resolve(root, start)])
  for (const file of found) {
    for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const next = fileOf(resolve(dirname(file), from ?? bare))
      if (next) found.add(next)
    }
  }
  return new Set([...found].map((file) => relative(root, file)))
}
