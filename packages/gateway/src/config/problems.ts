/** Mistakes in a configuration: gathered, so that all are told at once, and told without giving a secret away. */

export interface Problem {
  /** 1-based; undefined where the mistake is not in a file (a flag, the environment). */
  readonly line: number | undefined
  /** `models.fast.candidates[0].provider`; "" for the file as a whole. */
  readonly path: string
  /** What is wrong and what was expected. */
  readonly message: string
}

export type Path = readonly (string | number)[]

/** How the keys of many providers begin. */
const KEY_START = /^(sk|pk|gsk|hf|xai|Bearer)[-_ ]/i

/** Problems in the order of their lines; those that have none first. */
export class ConfigError extends Error {
  override readonly name = "ConfigError"
  readonly problems: readonly Problem[]

  constructor(file: string | undefined, found: readonly Problem[]) {
    const problems = found.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
    const lines = problems.map((problem) => formatProblem(file, problem))
    const where = file === undefined ? "the configuration" : file
    super(
      lines.length === 1
        ? lines[0]
        : `${lines.length} mistakes in ${where}:\n${lines.map((line) => `  ${line}`).join("\n")}`,
    )
    this.problems = Object.freeze(problems.map((problem) => Object.freeze(problem)))
  }
}

export interface Problems {
  readonly list: readonly Problem[]
  add(line: number | undefined, path: string, message: string): void
}

export function createProblems(): Problems {
  const list: Problem[] = []
  return {
    list,
    add(line, path, message) {
      list.push({ line, path, message })
    },
  }
}

export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`
    if (KEY_START.test(step) && step.length > 16) return `${text}[not shown here]`
    if (!/^[\w-]+$/.test(step)) return `${text}[${showName(step)}]`
    return text === "" ? step : `${text}.${step}`
  }, "")
}

/** What was found, for a message: short, and nothing that could be a credential. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "a list"
  if (typeof value === "object" && value !== null) return "a map"
  if (typeof value !== "string") return String(value)
  return looksSecret(value)
    ? "a text that is not shown here, since it could be a credential"
    : showName(value)
}

/** ` (did you mean "weighted"?)`, or nothing. */
export function suggest(written: string, known: readonly string[]): string {
  const plain = (name: string): string => name.toLowerCase().replace(/[_\s-]/g, "")
  const near = known
    .map((name) => ({ name, distance: editDistance(plain(written), plain(name)) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((one, other) => one.distance - other.distance)[0]
  return near === undefined ? "" : `; did you mean "${near.name}"?`
}

function formatProblem(file: string | undefined, { line, path, message }: Problem): string {
  const where = line === undefined ? "" : `${file ?? "configuration"}:${line}: `
  return `${where}${path === "" ? "" : `${path}: `}${message}`
}

function showName(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

/** A long run without a space that mixes letters and digits, or a beginning that keys are known by. */
function looksSecret(text: string): boolean {
  return KEY_START.test(text) || /(?=\S*\d)(?=\S*[a-z])\S{20,}/i.test(text)
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
function editDistance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > 8) return Number.POSITIVE_INFINITY
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = last[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1)
      let best = Math.min(replaced, last[column]! + 1, current[column - 1]! + 1)
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped) best = Math.min(best, beforeLast[column - 2]! + 1)
      current.push(best)
    }
    beforeLast = last
    last = current
  }
  return last[to.length]!
}
