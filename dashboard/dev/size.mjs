// What a browser loads before the first page is there, gzipped: at most 120 kB, in the language with the longest words. Reads what `npm run build` made.
import { readdirSync, readFileSync } from 'node:fs'
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
const weight = (name) => gzipSync(read(name), { level: 9 }).length
// Only the catalogue's first part; the rest comes meanwhile, and nothing of the first page waits for it.
const catalogues = readdirSync(`${FOLDER}assets`).filter((name) => /\.first\..*\.compiled-[^.]*\.js$/.test(name)).map((name) => `assets/${name}`)
wanted.add(catalogues.sort((one, other) => weight(other) - weight(one))[0])
const total = [...wanted].reduce((sum, name) => sum + weight(name), gzipSync(index).length)
console.log(`The first load is ${(total / 1000).toFixed(1)} kB gzipped in ${wanted.size} files, of at most ${MOST / 1000} kB`)
process.exitCode = total > MOST ? 1 : 0
