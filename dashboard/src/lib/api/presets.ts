/** Presets: event types, templates, triggers and segments that are made together. */

import { get, path, send } from './calls'

export interface Preset {
  name: string
  title: string
  description: string
  event_types: string[]
  templates: string[]
  triggers: string[]
  segments: string[]
}

export interface Applied {
  preset: string
  made: number
  parts: { kind: 'event_type' | 'template' | 'trigger' | 'segment'; id: string; name: string; outcome: 'made' | 'there' | 'changed' }[]
}

export const presets = {
  presets: (signal?: AbortSignal) => get<{ data: Preset[] }>('/presets', {}, signal),
  applyPreset: (name: string) => send<Applied>('POST', path('presets', name)),
}
