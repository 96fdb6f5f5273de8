/** Words of a template as the composer takes them: which gaps are asked for, what fills them, and the draft that is made. */

import type { Preview, Shown, Template, WordsBody } from './api'
import { type Draft, EMPTY_DRAFT } from './message'
import type { VariantDraft } from './words'

/** What Tidings fills by itself, each time it sends. */
const OWN = ['user', 'actor', 'app', 'digest']
const WORDS_OF_LIQUID = new Set([
  'and', 'or', 'not', 'contains', 'in', 'if', 'elsif', 'else', 'endif', 'unless', 'endunless', 'case', 'when', 'endcase', 'for', 'endfor', 'break', 'continue', 'assign', 'capture',
  'endcapture', 'limit', 'offset', 'reversed', 'true', 'false', 'nil', 'null', 'empty', 'blank', 'forloop', 'comment', 'endcomment', 'raw', 'endraw', 'first', 'last', 'size',
])

/** Every text of it that is Liquid. */
function sources(of: WordsBody): string[] {
  const own = [of.title, of.body, of.url, of.icon, of.image, ...of.actions.flatMap(({ title, url }) => [title, url])]
  const others = Object.values(of.locales).flatMap((one) => [one.title, one.body, one.url, ...Object.values(one.actions ?? {})])
  return [...own, ...others].filter((text): text is string => Boolean(text))
}

function named(of: WordsBody): string[] {
  const found: string[] = []
  const made = new Set<string>()
  for (const [, output, tag] of sources(of).join('\n').matchAll(/\{\{-?(.*?)-?\}\}|\{%-?(.*?)-?%\}/gs)) {
    const plain = (output ?? tag ?? '').replace(/"[^"]*"|'[^']*'/g, ' ').replace(/\|\s*\w+:?/g, ' ')
    const makes = /^\s*(?:for|assign|capture)\s+([\w-]+)/.exec(tag ?? '')?.[1]
    if (makes) made.add(makes)
    for (const [path] of plain.matchAll(/(?<![\w.])[a-zA-Z_][\w-]*(?:\.[\w-]+)*/g)) found.push(path.replace(/(\.(first|last|size))+$/, ''))
  }
  return [...new Set(found)].filter((path) => [WORDS_OF_LIQUID, made].every((names) => !names.has(path.split('.')[0]!)))
}

/** Gaps that somebody has to fill, as they are written: `conversation.id`. */
export function gapsOf(of: WordsBody): string[] {
  return named(of).filter((path) => !OWN.includes(path.split('.')[0]!))
}

/** Gaps that would be filled for each reader anew: in one notification for all of them they stay empty. */
export function readersGaps(of: WordsBody): string[] {
  return named(of).filter((path) => ['user', 'actor', 'digest'].includes(path.split('.')[0]!))
}

/** What stands at a path, undefined where nothing does. */
export function valueAt(of: Record<string, unknown>, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, name) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[name] : undefined), of)
}

/** A value as it is typed. */
export function typedFrom(value: unknown): string {
  return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

/** Variables as an event would bring them: the example with what was typed at its paths, of the kind that the example has there. */
export function variablesFrom(example: Record<string, unknown>, typed: Readonly<Record<string, string>>): Record<string, unknown> {
  const made = structuredClone(example)
  for (const [path, text] of Object.entries(typed)) {
    const before = valueAt(example, path)
    const names = path.split('.')
    const last = names.pop()!
    let into = made
    for (const name of names) {
      const inner = into[name]
      into = (typeof inner === 'object' && inner !== null ? inner : (into[name] = {})) as Record<string, unknown>
    }
    if (text) into[last] = before === undefined || before === null || typeof before === 'string' ? text : read(text)
    else delete into[last]
  }
  return made
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not of that kind: the server says so at its name.
    return text
  }
}

/** What the composer cannot hold of it, for people to know before they send. */
export function leftOut(of: WordsBody): ('collapse_id' | 'data' | 'badge_count' | 'platforms')[] {
  const gap = /\{\{|\{%/
  return [
    ...(of.collapse_id && gap.test(of.collapse_id) ? (['collapse_id'] as const) : []),
    ...(Object.keys(of.data).length ? (['data'] as const) : []),
    ...(of.badge_count === null ? [] : (['badge_count'] as const)),
    ...(Object.values(of.platforms).some((one) => one !== null && typeof one === 'object' && Object.values(one).some((value) => value !== null)) ? (['platforms'] as const) : []),
  ]
}

/** The composer's draft of what a template says, filled in; its own language is for all who read none of the others. */
export function draftOf(template: Template, preview: Preview): Draft {
  const base = preview.languages.find(({ language }) => language === template.language) ?? preview.languages[0]!
  const actions = base.actions.map(({ title, url }) => ({ title, url: url ?? '' }))
  return {
    ...structuredClone(EMPTY_DRAFT),
    title: base.title ?? '', body: base.body ?? '', url: base.url ?? '', icon: base.icon ?? '', image: base.image ?? '', ttl: template.ttl, urgency: template.urgency,
    collapseId: leftOut(template).includes('collapse_id') ? '' : (template.collapse_id ?? ''),
    asks: actions.length === 0 ? 'none' : actions.some(({ url }) => url) ? 'links' : 'question', actions,
    locales: preview.languages.filter((one) => one !== base).map((one) => variantOf(one, base)),
    template: { id: template.id, name: template.name, version: template.version },
  }
}

function variantOf(one: Shown, base: Shown): VariantDraft {
  const unlike = (mine: string | null, other: string | null) => (mine && mine !== other ? mine : '')
  const [title, body] = [unlike(one.title, base.title), unlike(one.body, base.body)]
  const actions = Object.fromEntries(one.actions.flatMap(({ title }, at) => (title === base.actions[at]?.title ? [] : [[String(at), title] as const])))
  // A language that differs in its page alone still says something.
  return { tag: one.language, title: title || body ? title : (base.title ?? ''), body, url: unlike(one.url, base.url), actions }
}
