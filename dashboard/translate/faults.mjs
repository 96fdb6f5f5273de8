// What can be wrong in a catalogue: a text without a translation, or one whose gaps differ from those of the source.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import PO from 'pofile'

import { FOLDER, LANGUAGES, ROOT } from './catalogues.mjs'

const GAP = /\{\d+\}|<\/?\d+\/?>/g
const gaps = (text) => [...new Set(text.match(GAP) ?? [])].sort().join(' ')

async function catalogues() {
  const files = LANGUAGES.slice(1).map((language) => `${FOLDER}/${language}.po`)
  return Promise.all(files.map(async (file) => [file, PO.parse(await readFile(join(ROOT, file), 'utf8'))]))
}

/** Of each catalogue, the texts without a translation. */
export async function untranslated() {
  return (await catalogues()).map(([file, { items }]) => [file, items.filter(({ msgstr }) => !msgstr.length || msgstr.some((text) => !text)).map(({ msgid }) => msgid)])
}

/** Of each catalogue, the texts whose translation lacks a gap of the source, has one too many, or begins or ends without its space. */
export async function mistaken() {
  const wrong = ({ msgid, msgstr }) => msgstr.some((text) => text && (gaps(text) !== gaps(msgid) || /^\s/.test(text) !== /^\s/.test(msgid) || /\s$/.test(text) !== /\s$/.test(msgid)))
  return (await catalogues()).map(([file, { items }]) => [file, items.filter(wrong).map(({ msgid }) => msgid)])
}
