// Which strings are texts that people read. Everything else (classes, codes, addresses, keys) stays as it is.

/** Attributes and properties that never hold a text. */
const CODES = new Set([
  'accept', 'aria-controls', 'aria-describedby', 'aria-labelledby', 'autocomplete', 'class', 'd', 'fill', 'for', 'href', 'id', 'list', 'method', 'name',
  'rel', 'role', 'scope', 'src', 'stroke', 'style', 'target', 'type', 'viewBox', 'preserveAspectRatio', 'vector-effect', 'stroke-linejoin', 'stroke-linecap',
])
/** Properties whose text may be a single word in small letters. */
const SMALL = new Set(['none', 'noun', 'nouns'])
/** Where the text is a sample of what is typed, and the same in every language. */
const ELEMENTS = new Set(['code', 'pre', 'script', 'style', 'path'])
/** Calls whose arguments go to the browser or the server. */
const CALLS = /^(console\.|call$|counted$|fetch$|matchMedia$|\$inspect|document\.querySelector|.*\.(querySelector(All)?|getItem|setItem|addEventListener|setAttribute|getAttribute|split|startsWith|endsWith|matches|closest|searchParams\.\w+))/
/** Names that are the same in every language. */
const NAMES = new Set([
  'APNs', 'Android', 'Apple', 'Authentik', 'Chrome', 'Edge', 'Firefox', 'Google', 'Inter', 'Keycloak', 'Linux', 'Microsoft', 'Microsoft Entra ID', 'Mozilla',
  'Python', 'Safari', 'Samsung Internet', 'Tidings', 'Windows', 'Enter', 'Escape', 'Tab', 'Space', 'Problem', 'iOS', 'iPadOS', 'macOS', 'iPhone', 'iPad', 'Mac',
])
const UTILITY = /[-:0-9[\]]|^(alert|badge|block|border|btn|collapse|flex|grid|hidden|inline|input|join|loading|menu|relative|rounded|select|skeleton|sr-only|table|textarea|tooltip|truncate|underline)$/

/** Whether the words are names of CSS classes. */
function areClasses(text) {
  const words = text.trim().split(/\s+/)
  if (!words.every((word) => /^[-a-z0-9:./[\]()%!_*&>]+$/.test(word))) return false
  return words.filter((word) => UTILITY.test(word)).length > words.length / 2
}

/** Whether it reads as code: an address, a selector, an expression, a header, a name as programs have it. */
function isCode(text) {
  return (
    /^[a-z+]+:\/\/|^https?:|^\{\{|^data:|^[/.@]|^#[\w:.-]*$|^\(\w[\w-]*:|^\d+px|\[type=|^\S*\{\{[^}]*\}\}\S*$|^\{\n/.test(text) ||
    /^[a-z_]+(\.[a-z_]+)+ (in|==|!=|<|>)/.test(text) ||
    (!/\s/.test(text) && /^[A-Z][a-z]+[A-Z]\w*$|^[A-Z][\w]*(-[A-Z]\w*)+$|^[\w-]+\.[\w.-]+$|_|^[A-Z0-9_-]+$/.test(text))
  )
}

/** `name` of a component is one that people read; of an element it is the form's. */
export const isCodeAttribute = (name, element = '') => name.startsWith('data-') || (CODES.has(name) && !(name === 'name' && /^[A-Z]/.test(element)))

/** The heuristic for wuchale: `message` is put into the catalogue, `false` stays. */
export function isText({ msgStr, details }) {
  const text = msgStr.join('\n')
  const bare = text.replaceAll('#', '')
  if (!/\p{L}/u.test(bare) || NAMES.has(text)) return false
  if (details.element && ELEMENTS.has(details.element)) return false
  if (details.scope === 'markup') return 'message'
  const { attribute, call } = details
  if (attribute && isCodeAttribute(attribute, details.element)) return false
  if (call === 'word') return 'message'
  if (call && CALLS.test(call)) return false
  if (isCode(text) || areClasses(bare)) return false
  if (/\p{Lu}/u.test(bare.trimStart()[0] ?? '') && /\p{Ll}/u.test(bare)) return 'message'
  if (attribute && SMALL.has(attribute)) return 'message'
  // In small letters only what is more than one word, such as "just now" and "# % of #".
  return /\p{L}{2}/u.test(bare) && /\S\s\S|^\s|\s$/u.test(text.replace(/\u00a0/g, '')) ? 'message' : false
}
