import './app.css'
import { language } from './lib/language'
import { load } from './locales/main.loader.js'

document.documentElement.lang = language

await load(language)
await import('./start')
