/**
 * Counters, gauges and histograms made from a table, and the text in which Prometheus reads them (exposition format
 * 0.0.4). What happens is counted in a series, found by its labels; what merely is gets read at the scrape.
 *
 * Invariants:
 *   1. A scrape has HELP and TYPE of every metric in the table, once and before its samples, and of nothing else.
 *   2. No two lines of a scrape have the same name and labels.
 *   3. A histogram's lines are written in one go: buckets, sum and count are of one moment, whatever is counted while
 *      the rest of a long scrape is written.
 */

export type MetricDeclaration = CounterDeclaration | GaugeDeclaration | HistogramDeclaration

interface Declaration {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

interface CounterDeclaration extends Declaration {
  readonly type: "counter"
  /** It is counted in a fraction of its unit, so that sums stay whole: so many of it make one. */
  readonly per?: number
}

interface GaugeDeclaration extends Declaration {
  readonly type: "gauge"
}

interface HistogramDeclaration extends Declaration {
  readonly type: "histogram"
  /** Upper edges, ascending; the one without an edge comes by itself. */
  readonly buckets: readonly number[]
}

type Table = Readonly<Record<string, MetricDeclaration>>

export interface Counter {
  add(amount: number): void
}

export interface Histogram {
  observe(value: number): void
}

/** What a metric is at the moment: a number where it has no labels, else a number for each set of their values. */
export type Reading = number | Iterable<readonly [labels: readonly string[], value: number]>

type Labels<Declared extends Declaration> = Readonly<Record<Declared["labels"][number], string>>

/** Gives the series with these labels, and makes it when they are new. */
type Family<Declared extends MetricDeclaration> = (
  labels: Labels<Declared>,
) => Declared extends HistogramDeclaration ? Histogram : Counter

type Named<T extends Table, Type extends MetricDeclaration["type"]> = {
  [Name in keyof T]: T[Name]["type"] extends Type ? Name : never
}[keyof T]

/** Every gauge is read; a counter may be, where somebody else counts. */
type Readers<T extends Table> = Readonly<
  Record<Named<T, "gauge">, () => Reading> & Partial<Record<Named<T, "counter">, () => Reading>>
>

export type Registry<T extends Table> = {
  readonly [Name in Named<T, "counter" | "histogram">]: Family<T[Name]>
} & {
  /** A scrape, in pieces: who has much to write may let others have a turn between two of them. */
  write(): Iterable<string>
}

interface Series {
  lines(): string
}

export function createRegistry<const T extends Table>(table: T, readers: Readers<T>): Registry<T> {
  const read = readers as Partial<Record<string, () => Reading>>
  const parts = Object.entries(table).map(([name, declaration]) => ({
    name,
    declaration,
    ...createFamily(declaration, read[name]),
  }))
  return {
    ...Object.fromEntries(parts.map(({ name, of }) => [name, of])),
    *write() {
      for (const { declaration, pieces } of parts) {
        const { name, type, help } = declaration
        yield `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`
        yield* pieces()
      }
    },
  } as Registry<T>
}

function createFamily(declaration: MetricDeclaration, read: (() => Reading) | undefined) {
  const { name, labels } = declaration
  const known = new Map<string, Series & Counter & Histogram>()

  function of(values: Readonly<Record<string, string>>): Counter & Histogram {
    let written = ""
    for (const label of labels) {
      written += `${written === "" ? "" : ","}${label}="${escapeLabel(values[label] ?? "")}"`
    }
    let series = known.get(written)
    if (series === undefined) {
      series = createSeries(declaration, written) as Series & Counter & Histogram
      known.set(written, series)
    }
    return series
  }

  function* pieces(): Generator<string> {
    if (read === undefined) {
      for (const series of known.values()) yield series.lines()
      return
    }
    const reading = read()
    if (typeof reading === "number") yield line(name, "", reading)
    else {
      for (const [values, value] of reading) {
        const written = labels.map((label, index) => `${label}="${escapeLabel(values[index] ?? "")}"`)
        yield line(name, written.join(","), value)
      }
    }
  }

  // Without labels there is one series, which says 0 until something happens.
  if (read === undefined && labels.length === 0) of({})
  return { of, pieces }
}

function createSeries(declaration: MetricDeclaration, labels: string): Series {
  if (declaration.type === "histogram") return createHistogram(declaration, labels)
  const { name } = declaration
  const per = declaration.type === "counter" ? (declaration.per ?? 1) : 1
  let total = 0
  const counter: Series & Counter = {
    add(amount) {
      total += amount
    },
    lines: () => line(name, labels, total / per),
  }
  return counter
}

function createHistogram({ name, buckets }: HistogramDeclaration, labels: string): Series & Histogram {
  const counts = new Float64Array(buckets.length + 1)
  const before = labels === "" ? "" : `${labels},`
  let sum = 0
  return {
    observe(value) {
      let bucket = 0
      while (bucket < buckets.length && value > buckets[bucket]!) bucket++
      counts[bucket]! += 1
      sum += value
    },
    lines() {
      let text = ""
      let below = 0
      for (let bucket = 0; bucket < counts.length; bucket++) {
        below += counts[bucket]!
        const edge = buckets[bucket] ?? Number.POSITIVE_INFINITY
        text += line(`${name}_bucket`, `${before}le="${number(edge)}"`, below)
      }
      return text + line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, below)
    },
  }
}

function line(name: string, labels: string, value: number): string {
  return labels === "" ? `${name} ${number(value)}\n` : `${name}{${labels}} ${number(value)}\n`
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf"
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value)
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
}
