/** A trigger as it is edited, made of and into the API's body; and what came of events, in words. */

import type { Applied, Firing, Rule, RulePart, Trigger, TriggerBody, Urgency } from './api'
import { plural, word } from './format'
import { Problem } from './http'
import { draftFrom as wordsDraftFrom, emptyWords, wordsFrom, type WordsDraft } from './words'

export type PartKind = 'users' | 'users_where' | 'followers' | 'segment' | 'everyone'

export interface PartDraft {
  kind: PartKind
  text: string
}

export interface Span {
  n: number
  unit: number
}

export type Timing = 'now' | 'delay' | 'digest'

export interface TriggerDraft {
  name: string
  eventType: string
  conditions: string
  parts: PartDraft[]
  exceptActor: boolean
  saying: 'words' | 'template'
  template: string
  words: WordsDraft
  /** None means all there are. */
  channels: string[]
  timing: Timing
  wait: Span
  unlessType: string
  unlessKey: string[]
  digestKey: string[]
  throttled: boolean
  times: number
  ever: boolean
  window: Span
  throttleKey: string[]
  urgency: Urgency | ''
  ttl: number
  enabled: boolean
}

export const PARTS: readonly [PartKind, string, string][] = [
  ['users', 'The users that the event names', ''],
  ['users_where', 'People for whom conditions hold', 'user.role in ["owner", "admin"]'],
  ['followers', 'Followers of a topic', 'topic:{{topic.id}}'],
  ['segment', 'A segment', 'seg_…'],
  ['everyone', 'Everyone', ''],
]

export const CHANNELS: readonly [string, string][] = [
  ['webpush', 'Web Push'],
  ['fcm', 'FCM'],
  ['apns', 'APNs'],
  ['webhook', 'Your server'],
  ['feed', 'The bell'],
]

export const UNITS: readonly [seconds: number, words: string][] = [
  [1, word('seconds')],
  [60, word('minutes')],
  [3600, word('hours')],
  [86_400, word('days')],
]

export function seconds(span: Span): number {
  return Math.max(0, Math.round(span.n * span.unit))
}

/** The largest unit in which it is a whole number. */
export function spanOf(length: number): Span {
  const [unit] = [...UNITS].reverse().find(([size]) => length >= size && length % size === 0) ?? [1]
  return { n: length / unit, unit }
}

export function emptyTrigger(eventType = ''): TriggerDraft {
  return {
    name: '', eventType, conditions: '', parts: [{ kind: 'users', text: '' }], exceptActor: true, saying: 'words', template: '', words: emptyWords(), channels: [],
    timing: 'now', wait: { n: 5, unit: 60 }, unlessType: '', unlessKey: [], digestKey: [], throttled: false, times: 1, ever: false, window: { n: 10, unit: 60 }, throttleKey: [],
    urgency: '', ttl: 0, enabled: true,
  }
}

function partFrom(part: RulePart): PartDraft {
  if ('users_where' in part) return { kind: 'users_where', text: typeof part.users_where === 'string' ? part.users_where : JSON.stringify(part.users_where) }
  if ('followers' in part) return { kind: 'followers', text: part.followers }
  if ('segment' in part) return { kind: 'segment', text: part.segment }
  return { kind: 'everyone' in part ? 'everyone' : 'users', text: '' }
}

/** The rules of an audience, whether there is one or a union. */
export function partsOf({ except_actor: _, ...rule }: Rule): RulePart[] {
  return 'union' in rule ? rule.union : [rule as RulePart]
}

/** Edit what is kept; its conditions are edited as texts. */
export function draftFrom(of: Trigger): TriggerDraft {
  const rule = of.audience_text
  const held = of.digest?.window ?? of.delay
  return {
    ...emptyTrigger(of.event_type),
    name: of.name,
    conditions: of.conditions_text ?? '',
    parts: partsOf(rule).map(partFrom),
    exceptActor: rule.except_actor ?? true,
    saying: typeof of.template === 'string' ? 'template' : 'words',
    template: typeof of.template === 'string' ? of.template : '',
    words: typeof of.template === 'string' ? emptyWords() : wordsDraftFrom(of.template),
    channels: of.channels ?? [],
    timing: of.digest ? 'digest' : of.delay ? 'delay' : 'now',
    ...(held ? { wait: spanOf(held) } : {}),
    unlessType: of.unless?.event_type ?? '',
    unlessKey: of.unless?.key ?? [],
    digestKey: of.digest?.key ?? [],
    ...(of.throttle ? { throttled: true, times: of.throttle.count, ever: of.throttle.window === null, throttleKey: of.throttle.key, ...(of.throttle.window ? { window: spanOf(of.throttle.window) } : {}) } : {}),
    urgency: (of.urgency ?? '') as Urgency | '',
    ttl: of.ttl ?? 0,
    enabled: of.enabled,
  }
}

function ruleFrom({ kind, text }: PartDraft): RulePart {
  const said = text.trim()
  switch (kind) {
    case 'users':
      return { users: 'event' }
    case 'users_where':
      return { users_where: said }
    case 'followers':
      return { followers: said }
    case 'segment':
      return { segment: said }
    case 'everyone':
      return { everyone: true }
  }
}

/** The body that is sent. */
export function bodyFrom(draft: TriggerDraft): TriggerBody {
  const parts = draft.parts.map(ruleFrom)
  const rule = parts.length === 1 ? parts[0]! : { union: parts }
  const digest = draft.timing === 'digest'
  return {
    name: draft.name.trim(),
    event_type: draft.eventType,
    conditions: draft.conditions.trim() || null,
    audience: { ...rule, except_actor: draft.exceptActor },
    template: draft.saying === 'template' ? draft.template : wordsFrom(draft.words),
    channels: draft.channels.length ? draft.channels : null,
    throttle: draft.throttled && !digest ? { key: draft.throttleKey, count: draft.times, window: draft.ever ? null : seconds(draft.window) } : null,
    delay: draft.timing === 'delay' ? seconds(draft.wait) : 0,
    unless: draft.timing === 'delay' && draft.unlessType ? { event_type: draft.unlessType, key: draft.unlessKey } : null,
    digest: digest ? { window: seconds(draft.wait), key: draft.digestKey } : null,
    urgency: draft.urgency || null,
    ttl: draft.ttl || null,
    enabled: draft.enabled,
  }
}

/** A trigger as it is kept, with one thing changed. */
export function bodyOf(of: Trigger, change: Partial<TriggerBody>): TriggerBody {
  return { ...bodyFrom(draftFrom(of)), ...change }
}

export type TriggerFaults = Partial<Record<'name' | 'event_type' | 'template' | 'title', string>> & { parts?: (string | undefined)[] }

/** The values that a fault is about, from the whole down to the field itself; names that only the server knows are passed over. */
function valueAt(body: unknown, field: string): unknown {
  return field.split('.').reduce((here, name) => (typeof here === 'object' && here !== null && name in here ? (here as Record<string, unknown>)[name] : here), body)
}

/** What is still to be mended of a refusal, while the form is changed: a field that is another now is not told to be wrong. */
export function stillWrong(problem: Problem | undefined, sent: TriggerBody, now: TriggerBody): Problem | undefined {
  if (!problem?.faults.length) return problem
  const left = problem.faults.filter(({ field }) => JSON.stringify(valueAt(sent, field)) === JSON.stringify(valueAt(now, field)))
  if (left.length === problem.faults.length) return problem
  const { code, status, title, mend, link } = problem
  return left.length ? new Problem({ code, status, title, mend, link, detail: left.map(({ message }) => message).join(' '), faults: left }) : undefined
}

const MISSING: Partial<Record<PartKind, string>> = {
  users_where: 'Write whom it is for, such as user.role == "operator".',
  followers: 'Write a topic, such as topic:{{topic.id}}.',
  segment: 'Choose a segment.',
}

/** What is missing before anything is asked of the server. */
export function faultsOf(draft: TriggerDraft): TriggerFaults {
  const faults: TriggerFaults = {}
  if (!draft.name.trim()) faults.name = 'Name it after what it tells, such as “Call an operator”.'
  if (!draft.eventType) faults.event_type = 'Choose the event that fires it.'
  if (draft.saying === 'template' && !draft.template) faults.template = 'Choose a template, or write words of its own.'
  if (draft.saying === 'words' && !draft.words.title.trim()) faults.title = 'A notification needs a title.'
  const parts = draft.parts.map(({ kind, text }) => (text.trim() ? undefined : MISSING[kind]))
  if (parts.some(Boolean)) faults.parts = parts
  return faults
}

const REASONS: Readonly<Record<string, string>> = {
  throttled: 'It had fired as often as it may for this key',
  nobody: 'The rule named nobody, or only whoever did it',
  unless: 'Something else happened that took it back',
  conditions_hold_no_more: 'The conditions did not hold any more when the delay was over',
  template_missing: 'Its template was deleted',
  trigger_off: 'The trigger was turned off or deleted while it waited',
  too_many_held: 'Too many notifications are held by the tripwire; send or cancel them',
  failed: 'It could not be asked; the worker’s log says why',
}

/** Why nothing was sent, in words. */
export function firingReason({ reason, outcome }: Pick<Firing, 'reason' | 'outcome'>): string {
  if (reason) return REASONS[reason] ?? reason.replaceAll('_', ' ')
  if (outcome === 'waiting') return 'It is sent when its delay is over'
  return outcome === 'collected' ? 'It is collected for a digest' : ''
}

const WHY_NOT: Readonly<Record<string, string>> = {
  actor: 'Did it themselves',
  conditions: 'The conditions do not fit them',
  not_meant: 'The rule does not mean them',
  no_device: 'Has no device',
  web_push_off: 'Web push of the App was turned off',
  preference_off: 'Has turned it off',
  quiet_hours: 'Has quiet hours',
  template_failed: 'The words cannot be filled for them',
  message_refused: 'Their push service takes no such message',
  integration_paused: 'The integration that reaches them is paused',
  no_credential: 'The key of their devices is gone',
  address_doubted: 'Their device is left alone for a while',
}

export function whyNotTold(why: string): string {
  return WHY_NOT[why] ?? why.replaceAll('_', ' ')
}

const PARTS_OF_PRESETS = [
  ['event_type', (count: number) => plural(count, ['# event type', '# event types'])],
  ['template', (count: number) => plural(count, ['# template', '# templates'])],
  ['trigger', (count: number) => plural(count, ['# trigger', '# triggers'])],
  ['segment', (count: number) => plural(count, ['# segment', '# segments'])],
] as const

/** What came of applying a preset. */
export function appliedInWords(title: string, { parts }: Pick<Applied, 'parts'>): string {
  const made = PARTS_OF_PRESETS.flatMap(([kind, counted]) => {
    const count = parts.filter((one) => one.kind === kind && one.outcome === 'made').length
    return count ? [counted(count)] : []
  })
  return made.length ? `${title} is applied. Made: ${made.join(', ')}.` : `Everything of ${title} is there already; nothing was changed.`
}

/** Whom it is for, in one line. */
export function audienceInWords(rule: Rule): string {
  const said = partsOf(rule).map(partFrom).map(({ kind, text }) => {
    if (kind === 'users') return 'whom the event names'
    if (kind === 'everyone') return 'everyone'
    if (kind === 'segment') return 'a segment'
    return kind === 'followers' ? `followers of ${text}` : `people with ${text}`
  })
  return said.join(', or ')
}

/** Through what, in one line. */
export function channelsInWords(channels: readonly string[] | null): string {
  return channels?.length ? channels.map((one) => CHANNELS.find(([name]) => name === one)?.[1] ?? one).join(', ') : 'All channels'
}
