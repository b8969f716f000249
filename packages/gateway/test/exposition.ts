/**
 * A strict reader of Prometheus' text format, version 0.0.4, written from the rules of the format and not from what
 * writes it here. It takes less than Prometheus does: every sample must have been declared, no line may be empty, and
 * what the naming rules ask of a counter and of a histogram is asked too.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface Exposition {
  readonly families: ReadonlyMap<string, ExposedFamily>
  /** The value of the one sample with this name and these labels; 0 where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number
  /** The sum over all samples with this name that have at least these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

export interface ExposedFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface Family {
  readonly name: string
  help: string | undefined
  type: string | undefined
  readonly samples: Sample[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*/
/** What Go's ParseFloat takes, but for hexadecimal and underscores. */
const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Inf|NaN)$/
const TYPES = ["counter", "gauge", "histogram", "summary", "untyped"]

export function readExposition(text: string): Exposition {
  const families = new Map<string, Family>()
  /** By name and labels. */
  const values = new Map<string, number>()
  let current: Family | undefined
  if (!text.endsWith("\n")) throw new Error("the last line does not end with a line feed")
  for (const [index, line] of text.slice(0, -1).split("\n").entries()) {
    try {
      readLine(line)
    } catch (error) {
      throw new Error(`line ${index + 1}: ${(error as Error).message}: ${line.slice(0, 200)}`)
    }
  }
  const all = new Map([...families].map(([name, family]) => [name, whole(family)]))
  const samples = [...all.values()].flatMap((family) => family.samples)
  return {
    families: all,
    value: (name, labels = {}) => values.get(keyOf(name, labels)) ?? 0,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0),
  }

  function readLine(line: string): void {
    if (line === "" || line !== line.trim()) throw new Error("an empty line, or blanks around it")
    if (line.startsWith("#")) readComment(line)
    else readSample(line)
  }

  /** HELP and TYPE open a family; once another has begun, this one is over. */
  function readComment(line: string): void {
    const [, word = "", name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (word === "") throw new Error("neither HELP nor TYPE, or nothing behind it")
    if (name.replace(NAME, "") !== "") throw new Error("not a metric's name")
    if (current?.name !== name) {
      if (families.has(name)) throw new Error(`${name} is not in one piece`)
      current = { name, help: undefined, type: undefined, samples: [] }
      families.set(name, current)
    }
    if (current.samples.length > 0) throw new Error(`${word} after a sample`)
    if (word === "HELP") {
      if (current.help !== undefined) throw new Error("a second HELP")
      current.help = unescaped(rest, /\\(.?)/g, { "\\": "\\", n: "\n" })
    } else {
      if (current.type !== undefined) throw new Error("a second TYPE")
      if (!TYPES.includes(rest)) throw new Error("not a type")
      current.type = rest
    }
  }

  function readSample(line: string): void {
    const name = NAME.exec(line)?.[0] ?? ""
    if (
      current?.type === undefined ||
      !suffixesOf(current.type).some((end) => name === `${current?.name}${end}`)
    )
      throw new Error(`'${name}' does not belong to the family before it`)
    const { labels, rest } = readLabels(line.slice(name.length))
    const [, value = "", timestamp] = /^ (\S+)(?: (\S+))?$/.exec(rest) ?? []
    if (!NUMBER.test(value)) throw new Error("not a number")
    if (timestamp !== undefined && !/^-?\d+$/.test(timestamp)) throw new Error("not a timestamp")
    const key = keyOf(name, labels)
    if (values.has(key)) throw new Error("the same series a second time")
    const sample = { name, labels, value: Number(value.replace("Inf", "Infinity")) }
    values.set(key, sample.value)
    current.samples.push(sample)
  }
}

function readLabels(text: string): { labels: Record<string, string>; rest: string } {
  const labels: Record<string, string> = {}
  if (!text.startsWith("{")) return { labels, rest: text }
  let rest = text.slice(1)
  while (!rest.startsWith("}")) {
    const name = LABEL_NAME.exec(rest)?.[0]
    if (name === undefined || name.startsWith("__")) throw new Error("not a label's name")
    if (Object.hasOwn(labels, name)) throw new Error(`the label ${name} a second time`)
    const quoted = /^="((?:[^"\\]|\\.)*)"/.exec(rest.slice(name.length))
    if (quoted === null) throw new Error(`the label ${name} has no value`)
    labels[name] = unescaped(quoted[1] ?? "", /\\(.)/g, { "\\": "\\", n: "\n", '"': '"' })
    rest = rest.slice(name.length + quoted[0].length)
    if (rest.startsWith(",")) rest = rest.slice(1)
    else if (!rest.startsWith("}")) throw new Error("something between two labels")
  }
  return { labels, rest: rest.slice(1) }
}

function unescaped(text: string, pattern: RegExp, meaning: Readonly<Record<string, string>>): string {
  return text.replace(pattern, (_, letter: string) => {
    if (!Object.hasOwn(meaning, letter)) throw new Error(`'\\${letter}' is no escape here`)
    return meaning[letter]!
  })
}

function suffixesOf(type: string): readonly string[] {
  if (type === "histogram") return ["_bucket", "_sum", "_count"]
  return type === "summary" ? ["", "_sum", "_count"] : [""]
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1))])
}

function whole({ name, help, type, samples }: Family): ExposedFamily {
  const fail = (what: string): never => {
    throw new Error(`${name}: ${what}`)
  }
  if (help === undefined || type === undefined) return fail("it lacks HELP or TYPE")
  if ((type === "counter") !== name.endsWith("_total"))
    return fail("counters end in _total, and nothing else")
  if (/_(bucket|sum|count|info_total)$/.test(name)) return fail("its ending is a histogram's own")
  const labelNames = new Set(
    samples.map(({ name: sample, labels }) => `${sample} ${Object.keys(labels).sort()}`),
  )
  if (labelNames.size > suffixesOf(type).length) return fail("not all of its series have the same labels")
  if (type === "counter" && samples.some(({ value }) => !(value >= 0 && value < Number.POSITIVE_INFINITY)))
    return fail("a counter is never negative, and finite")
  if (type === "histogram") for (const group of groupsOf(samples).values()) checkHistogram(name, group, fail)
  return { name, help, type, samples }
}

function groupsOf(samples: readonly Sample[]): Map<string, Sample[]> {
  return Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => keyOf("", labels))
}

function checkHistogram(name: string, group: readonly Sample[], fail: (what: string) => never): void {
  const only = (end: string): number => {
    const found = group.filter((sample) => sample.name === `${name}${end}`)
    if (found.length !== 1 || "le" in found[0]!.labels) return fail(`it has not one ${end}`)
    return found[0]!.value
  }
  const count = only("_count")
  only("_sum")
  let edge = Number.NEGATIVE_INFINITY
  let below = 0
  for (const { labels, value } of group.filter((sample) => sample.name === `${name}_bucket`)) {
    const { le = "" } = labels
    const next = NUMBER.test(le) ? Number(le.replace("Inf", "Infinity")) : fail("a bucket without an edge")
    if (!(next > edge)) return fail("its buckets are not in order")
    if (!Number.isSafeInteger(value) || value < below) return fail("its buckets do not add up")
    edge = next
    below = value
  }
  if (edge !== Number.POSITIVE_INFINITY) return fail("it has no bucket +Inf")
  if (below !== count) return fail("its bucket +Inf is not its count")
}
