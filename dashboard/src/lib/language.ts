/** The language of the pages: as the browser asks for it, or as chosen on this device. It holds until the page is loaded anew. */

export type Language = 'en' | 'de'

/** Every language there is a catalogue of, each under its own name. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' }

const NAME = 'tidings.language'

export const isKnown = (tag: string): tag is Language => Object.hasOwn(LANGUAGE_NAMES, tag)

/** The first of the wanted tags that there is a catalogue for, English where there is none: "de-AT" is German. */
export function bestOf(wanted: readonly string[]): Language {
  return wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find(isKnown) ?? 'en'
}

/** What was chosen on this device, or undefined where the browser decides. */
export function chosenLanguage(): Language | undefined {
  try {
    const tag = localStorage.getItem(NAME) ?? ''
    return isKnown(tag) ? tag : undefined
  } catch {
    // Storage is blocked, or there is none: the browser decides.
    return undefined
  }
}

/** Choose a language on this device, or leave it to the browser; the page is loaded anew in it. */
export function chooseLanguage(tag: Language | undefined): void {
  try {
    if (tag === undefined) localStorage.removeItem(NAME)
    else localStorage.setItem(NAME, tag)
  } catch {
    // Storage is blocked: the browser's language stays.
  }
  location.reload()
}

export const browserLanguage = (): Language => bestOf(typeof document === 'undefined' ? [] : navigator.languages)

/** The language of this page. */
export const language: Language = typeof document === 'undefined' ? 'en' : (chosenLanguage() ?? browserLanguage())

/** How dates and numbers are written: the day before the month, the clock from 0 to 24. */
export const REGION = { en: 'en-GB', de: 'de-DE' }[language]
