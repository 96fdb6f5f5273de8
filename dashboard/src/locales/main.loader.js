// The catalogue of the chosen language; sources that hold texts are compiled to read it. It is in two parts, what the first page needs and the rest.
import toRuntime from 'wuchale/runtime'

const catalogues = import.meta.glob('./.wuchale/main.{first,rest}.*.compiled.js')
const parts = {}
let loadingRest

async function loadPart(part, language) {
  parts[part] = toRuntime(await catalogues[`./.wuchale/main.${part}.${language}.compiled.js`](), language)
}

export async function load(language) {
  const first = loadPart('first', language)
  loadingRest = loadPart('rest', language)
  // Whoever waits for the rest is told of a failure.
  loadingRest.catch(() => undefined)
  await first
}

export const restLoaded = () => loadingRest

export const getRuntime = (part) => parts[part]
export const getRuntimeRx = getRuntime
