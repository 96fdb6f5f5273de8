// npm run translate:check: the catalogues hold exactly the texts of the sources, and every text is translated.
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'

import { open, ROOT } from './catalogues.mjs'
import { mistaken, untranslated } from './faults.mjs'

const faults = []
const wanted = new Map()
await open({ keep: (file, content) => void wanted.set(file, content) })
for (const [file, content] of wanted) {
  if ((await readFile(file, 'utf8').catch(() => '')) !== content) faults.push(`${relative(ROOT, file)} is not up to date. Run \`scripts/npm --prefix dashboard run translate\`, translate what is new, and commit the catalogue.`)
}
for (const [file, texts] of await untranslated()) for (const text of texts) faults.push(`${file}: no translation of "${text}"`)
for (const [file, texts] of await mistaken()) for (const text of texts) faults.push(`${file}: the translation of "${text}" has other gaps or outer spaces than it`)
for (const fault of new Set(faults)) console.error(fault)
process.exitCode = faults.length ? 1 : 0
