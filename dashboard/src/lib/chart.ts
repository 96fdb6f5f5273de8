/** How charts are drawn: our colours, the zero line, few marks, and each line's name at its end. */

import type uPlot from 'uplot'

import { number } from './format'

export interface Series {
  name: string
  values: readonly number[]
  /** The custom property that holds its colour. */
  colour: string
  dash?: boolean
}

const FONT = "12px 'Inter Variable', system-ui, sans-serif"
const BETWEEN = 15 // pixels from one name to the next
const WIDE = 460 // pixels from which there is room for names
const ROOM = 72 // pixels for them, and more where a language has longer words
/** Of the last day's mark, which stands in the middle under the last point. */
const HALF = 26
/** Of an axis of counts: whole numbers alone. */
const COUNTS = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()
export const DAYS: readonly number[] = [1, 2, 7, 14, 28, 56, 112, 224].map((days) => days * 86_400)
export const HOURS: readonly number[] = [60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, ...DAYS]

/** Where names go that would lie on each other: in their order, none nearer than `between`, none below `most`. */
export function spread(wanted: readonly number[], { between, most }: { between: number; most: number }): number[] {
  const order = wanted.map((_, at) => at).sort((one, other) => wanted[one]! - wanted[other]!)
  const placed = [...wanted]
  let least = -Infinity
  for (const at of order) least = (placed[at] = Math.max(placed[at]!, least)) + between
  let highest = most
  for (const at of order.reverse()) highest = (placed[at] = Math.min(placed[at]!, highest)) - between
  return placed
}

/** The same colour, hardly there; undefined where it cannot be said. */
function faint(colour: string): string | undefined {
  return /^oklch\([^/]+\)$/.test(colour) ? colour.replace(/\)$/, ' / 0.08)') : undefined
}

let ruler: CanvasRenderingContext2D | null = null

/** Pixels that the names take at the lines' ends, with what is between. */
function roomFor(series: readonly Series[]): number {
  ruler ??= document.createElement('canvas').getContext('2d')
  if (!ruler) return ROOM
  const measure = ruler
  measure.font = FONT
  return Math.max(ROOM, ...series.map(({ name }) => Math.ceil(measure.measureText(name).width) + 12))
}

interface Wanted {
  host: HTMLElement
  series: readonly Series[]
  short: (x: number) => string
  steps: readonly number[]
  height: number
  choose: (at: number | undefined) => void
}

export function optionsOf({ host, series, short, steps, height, choose }: Wanted): uPlot.Options {
  const colour = (name: string) => getComputedStyle(host).getPropertyValue(name).trim()
  const named = () => host.clientWidth >= WIDE
  const axis = { stroke: () => colour('--quiet'), font: FONT, ticks: { show: false } }

  function nameLines(plot: uPlot) {
    if (!named()) return
    const ratio = devicePixelRatio, { ctx, bbox } = plot
    const last = plot.data[0].length - 1
    const wanted = series.map((_, at) => plot.valToPos(plot.data[at + 1]?.[last] ?? 0, 'y', true))
    const places = spread(wanted, { between: BETWEEN * ratio, most: bbox.top + bbox.height })
    ctx.save()
    ctx.font = FONT.replace('12px', `${12 * ratio}px`)
    ctx.textAlign = 'left'
    ctx.textBaseline = 'middle'
    for (const [at, one] of series.entries()) {
      ctx.fillStyle = colour(one.colour)
      ctx.fillText(one.name, bbox.left + bbox.width + 8 * ratio, places[at]!)
    }
    ctx.restore()
  }

  return {
    width: host.clientWidth,
    height,
    legend: { show: false },
    padding: [8, () => (named() ? roomFor(series) : HALF), 0, 0] as unknown as uPlot.Padding,
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.06)] } },
    axes: [
      { ...axis, incrs: [...steps], space: 64, values: (_, splits) => splits.map(short), grid: { show: false }, size: 28 },
      { ...axis, incrs: COUNTS, space: 40, values: (_, splits) => splits.map((one) => number(one)), grid: { stroke: () => colour('--color-base-300'), width: 1 }, size: (_, values) => 16 + 7 * Math.max(1, ...(values ?? []).map((text) => text.length)) },
    ],
    series: [
      {},
      ...series.map((one, at) => ({
        label: one.name, stroke: () => colour(one.colour), width: 2, points: { show: one.values.length < 2 },
        ...(one.dash ? { dash: [5, 4] } : {}), ...(at === 0 ? { fill: () => faint(colour(one.colour)) ?? 'transparent' } : {}),
      })),
    ],
    cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 8 } },
    hooks: { setCursor: [(plot) => choose(plot.cursor.idx ?? undefined)], draw: [nameLines] },
  }
}
