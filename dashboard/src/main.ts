import './app.css'
import { language } from './lib/language'
import { load } from './locales/main.loader.js'

document.documentElement.lang = language

await load(language)
await import('./start')

// Once the page is there: without a server, its worker says so when the app is opened. The language goes along.
if (import.meta.env.PROD) void navigator.serviceWorker?.register(`/worker.js?${language}`, { updateViaCache: 'none' }).catch(() => undefined)
