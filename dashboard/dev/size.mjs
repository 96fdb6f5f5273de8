// What a browser loads before the first page is there, gzipped: at most 120 kB. Reads what `npm run build` made.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const FOLDER = fileURLToPath(new URL('../../src/tidings/web/static/dashboard/', import.meta.url))
const MOST = 120_000

const read = (name) => readFileSync(FOLDER + name, 'utf8')
const index = read('index.html')
const wanted = new Set([...index.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((found) => found[1]))
for (const name of wanted) {
  if (!name.endsWith('.js')) continue
  // What a module imports from the beginning; `import(…)` comes later.
  for (const found of read(name).matchAll(/(?:import|from)\s*["']\.\/([^"']+\.js)["']/g)) wanted.add(`assets/${found[1]}`)
}
const total = [...wanted].reduce((sum, name) => sum + gzipSync(read(name), { level: 9 }).length, gzipSync(index).length)
console.log(`The first load is ${(total / 1000).toFixed(1)} kB gzipped in ${wanted.size} files, of at most ${MOST / 1000} kB`)
process.exitCode = total > MOST ? 1 : 0
