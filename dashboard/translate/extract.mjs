// npm run translate: write new texts of the sources into the catalogues, and take out what is gone.
import { writeFile } from 'node:fs/promises'

import { open } from './catalogues.mjs'
import { untranslated } from './faults.mjs'

await open({ keep: writeFile })
for (const [file, texts] of await untranslated()) console.log(texts.length ? `${file}: ${texts.length} texts wait for a translation` : `${file} is complete`)
