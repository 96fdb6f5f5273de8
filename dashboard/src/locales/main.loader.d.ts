import type { Language } from '../lib/language'

/** Load a language: resolved when the texts of the first page are there. */
export function load(language: Language): Promise<void>

/** Resolved when the texts of everything else are there too. */
export function restLoaded(): Promise<void>
