/** The application itself, to be imported once the catalogue is there: its constants hold texts. */

import { mount } from 'svelte'

import App from './App.svelte'
import { sayIn } from './lib/http'
import { language } from './lib/language'
import { restLoaded } from './locales/main.loader.js'

// The server refuses in English; until this is there, so does the page.
if (language !== 'en') {
  void restLoaded().then(() => import('./lib/errors')).then(({ ERRORS }) => sayIn(ERRORS)).catch(() => undefined)
}

mount(App, { target: document.querySelector('#app')! })
