/** How a password strikes us while it is typed; the server has the last word. */

import { plural } from './format'

export const SHORTEST = 10

export interface Hint {
  /** 0 nothing typed, 1 too short or too plain, 2 enough, 3 good. */
  level: 0 | 1 | 2 | 3
  words: string
}

const RUNS = ['abcdefghijklmnopqrstuvwxyz', '0123456789', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const PLAIN = ['password', 'passwort', 'tidings', 'letmein', 'welcome', 'willkommen', 'qwertz', 'iloveyou', 'admin']

/** Tell whether a word is a run of neighbours on the keyboard or in the alphabet, forwards or backwards. */
function isRun(word: string): boolean {
  const backwards = [...word].reverse().join('')
  return word.length >= 4 && RUNS.some((run) => run.includes(word) || run.includes(backwards))
}

/** How many characters are left of `text` once what everybody guesses first is counted as one each. */
function worth(text: string, own: readonly string[]): number {
  let rest = text.toLowerCase()
  for (const word of [...PLAIN, ...own]) if (word.length >= 4) rest = rest.replaceAll(word, '*')
  rest = rest.replace(/[a-z]{4,}|\d{4,}/g, (word) => (isRun(word) ? '*' : word))
  return rest.replace(/(.+?)\1{2,}/g, '$1').length
}

/** A quiet hint on a password; `own` are the person's name and e-mail address. */
export function hintOf(password: string, own: readonly string[] = []): Hint {
  if (!password) return { level: 0, words: `At least ${SHORTEST} characters. A few words you can remember are better than one with signs.` }
  const length = [...password].length
  if (length < SHORTEST) return { level: 1, words: plural(SHORTEST - length, ['# more character.', '# more characters.']) }
  const words = own.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u))
  const left = worth(password, words)
  if (left < 8) return { level: 1, words: 'Easily guessed. Add a word that has nothing to do with you or with this page.' }
  return left < 16 ? { level: 2, words: 'Good enough. Longer is better.' } : { level: 3, words: 'Good.' }
}
