/** Small plots side by side as one SVG: a panel for each measure, what grows on a logarithmic axis, values from 0 on. */
import { figure } from "../figure.ts"
import type { Grown, Measure } from "./part.ts"

const PANEL = { width: 260, height: 200 }
const INNER = { left: 52, right: 18, top: 34, bottom: 40 }
/** Between two labels. */
const ROOM = 28
const [INK, FAINT, LINE] = ["#333", "#ddd", "#2563a8"]

export function plotOf({ of, measures, points }: Grown): string {
  const panels = measures.map((measure, index) => {
    const values = points.map(({ at, values }): Dot => ({ at, value: values[index]! }))
    return `<g transform="translate(${index * PANEL.width} 0)">\n${panel(measure, of, values)}\n</g>`
  })
  const width = PANEL.width * measures.length
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${PANEL.height}" width="${width}" height="${PANEL.height}" font-family="sans-serif" font-size="11" fill="${INK}">`,
    `<title>${escaped(`${measures.map(({ name }) => name).join(", ")}, by ${of}`)}</title>`,
    `<rect width="${width}" height="${PANEL.height}" fill="#fff"/>`,
    ...panels,
    "</svg>\n",
  ].join("\n")
}

interface Dot {
  readonly at: number
  readonly value: number
}

function panel({ name, unit }: Measure, of: string, dots: readonly Dot[]): string {
  const first = dots[0]?.at ?? 1
  const last = Math.max(first + 1, dots.at(-1)?.at ?? 1)
  const steps = stepsUpTo(Math.max(...dots.map(({ value }) => value)))
  const top = steps.at(-1)!
  const x = (at: number): number =>
    round(
      INNER.left + (Math.log(at / first) / Math.log(last / first)) * (PANEL.width - INNER.left - INNER.right),
    )
  const y = (value: number): number =>
    round(PANEL.height - INNER.bottom - (value / top) * (PANEL.height - INNER.top - INNER.bottom))
  const text = (at: [number, number], anchor: string, what: string, more = ""): string =>
    `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}"${more}>${escaped(what)}</text>`
  return [
    text([INNER.left, 18], "start", unit === "" ? name : `${name}, ${unit}`, ' font-weight="bold"'),
    ...steps.flatMap((step) => [
      `<path d="M${INNER.left} ${y(step)}H${PANEL.width - INNER.right}" stroke="${FAINT}"/>`,
      text([INNER.left - 6, y(step) + 4], "end", figure(step)),
    ]),
    ...labelled(dots, x).map(({ at }) =>
      text([x(at), PANEL.height - INNER.bottom + 16], "middle", short(at)),
    ),
    text([PANEL.width / 2, PANEL.height - 8], "middle", of),
    `<path d="${dots.map(({ at, value }, index) => `${index === 0 ? "M" : "L"}${x(at)} ${y(value)}`).join("")}" fill="none" stroke="${LINE}" stroke-width="2"/>`,
    ...dots.map(({ at, value }) => `<circle cx="${x(at)}" cy="${y(value)}" r="3" fill="${LINE}"/>`),
  ].join("\n")
}

/** From 0 on, four or five of them, the last at or above the highest value. */
export function stepsUpTo(most: number): number[] {
  if (!(most > 0)) return [0, 1]
  const rough = most / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((size) => size * 4 >= most)!
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(6)),
  )
}

/** The last one, and before it those that do not run into the next. */
function labelled(dots: readonly Dot[], x: (at: number) => number): Dot[] {
  const shown: Dot[] = []
  for (const dot of dots.toReversed())
    if (shown.length === 0 || x(shown.at(-1)!.at) - x(dot.at) >= ROOM) shown.push(dot)
  return shown
}

function short(count: number): string {
  if (count >= 1_000_000) return `${count / 1_000_000}M`
  return count >= 1_000 ? `${count / 1_000}k` : String(count)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
}
