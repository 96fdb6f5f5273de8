// The catalogues: de.po and its like beside the sources, compiled ones in `.wuchale`, which is not kept.
import { mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Hub, pofile } from 'wuchale'

import { firstSources } from './first.mjs'
import { LOADER, runtime, transform } from './transform.mjs'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const FOLDER = 'src/locales'
/** The first is the language of the sources. */
export const LANGUAGES = ['en', 'de']

/** The most places named at a text; more only make changes meet in the catalogue. */
const PLACES = 2

const key = ({ msgctxt, msgid }) => `${msgid}\n${msgctxt ?? ''}`

/** Catalogues in the order of their texts, so that two changes seldom meet in one place; no text that is no longer there. */
function sorted() {
  const storage = pofile()
  return async (options) => {
    const file = await storage(options)
    const saveRaw = file.saveRaw.bind(file)
    file.saveRaw = (items, ...rest) => {
      const live = items.filter((item) => !item.obsolete)
      for (const item of live) {
        const notes = new Map(item.references.map((place, at) => [place, item.extractedComments[at] ?? '']))
        item.references = [...notes.keys()].slice(0, PLACES)
        item.extractedComments = item.references.map((place) => notes.get(place)).filter(Boolean)
      }
      live.sort((a, b) => (key(a) < key(b) ? -1 : 1))
      return saveRaw(live, ...rest)
    }
    return file
  }
}

/** Files as they are. Catalogues to be translated are kept by `keep`, which may write them or only look; the sources' own is never written. */
function disk(keep) {
  const read = async (file) => (existsSync(file) ? readFile(file, 'utf8') : null)
  return {
    read,
    write: async (file, content) => {
      if (file.endsWith('.po')) return basename(file) === `${LANGUAGES[0]}.po` ? undefined : keep?.(file, content)
      // What has not changed is left alone: a build that watches would see it and never end.
      if ((await read(file)) !== content) await writeFile(file, content)
    },
    mkdir: async (path) => void (await mkdir(path, { recursive: true })),
    exists: async (path) => existsSync(path),
    unlink: async (file) => !file.endsWith('.po') && existsSync(file) && unlink(file).then(() => true),
  }
}

function config() {
  const first = firstSources(ROOT)
  const main = {
    files: { include: ['src/**/*.svelte', 'src/**/*.ts'], ignore: ['**/*.d.ts', 'src/lib/language.ts'] },
    storage: sorted(), transform, runtime: runtime(), getRuntimeVars: LOADER,
    granularLoad: true, bundleLoad: false, generateLoadID: (file) => (first.has(file) ? 'first' : 'rest'), loaderExts: ['.js'], defaultLoaderPath: null,
  }
  return { locales: LANGUAGES, fallback: {}, localesDir: FOLDER, adapters: { main }, hmr: true, ai: null, logLevel: 'warn' }
}

/**
 * Read every source and compile the catalogues; what has no translation yet is in the language of the sources.
 *
 * `keep(path, content)` is handed each catalogue that would be written; without it none is, so that a build never changes a source.
 */
export async function open({ mode = 'cli', keep } = {}) {
  const hub = await Hub.create(mode, config, ROOT, 1000, disk(keep))
  await hub.directVisit(true, false, false)
  return hub
}
