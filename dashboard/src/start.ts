/** The application itself, to be imported once the catalogue is there: its constants hold texts. */

import { mount } from 'svelte'

import App from './App.svelte'

mount(App, { target: document.querySelector('#app')! })
