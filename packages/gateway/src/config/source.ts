/** A YAML text → plain values, with the line of each and the environment's values filled in. */
import { createRequire } from "node:module"
import type { Alias, Document, Pair, YAMLError } from "yaml"
import { type Environment, interpolate, maskReferences, unmask } from "./interpolate.ts"
import { formatPath, type Path, type Problems } from "./problems.ts"

export interface Source {
  /** Maps as plain objects, lists as arrays, an empty file as an empty map. */
  readonly value: unknown
  /** Where a setting stands; for one that is missing, where its parent does. */
  lineOf(path: Path): number | undefined
  /** A string before the environment was filled in: what may be shown where the value may not. */
  asWritten(path: Path): string | undefined
}

/** Read with the first file: it is 72 modules, and whoever begins has none. */
const readYaml = (): typeof import("yaml") => createRequire(import.meta.url)("yaml")

/** Far beyond any real configuration: a bomb of aliases ends here. */
const DEEPEST = 20
const MOST_VALUES = 50_000

export function readSource(text: string, environment: Environment, problems: Problems): Source {
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = readYaml()
  const lines = new Map<string, number>()
  const written = new Map<string, string>()
  const counter = new LineCounter()
  let document: Document
  let valuesLeft = MOST_VALUES

  /** The collections that are being walked: an alias to one of them would never end. */
  const open = new Set<unknown>()

  function walk(node: unknown, path: Path): unknown {
    if (--valuesLeft === 0) fail(path, `more than ${MOST_VALUES} values: is an alias repeated?`)
    if (valuesLeft <= 0) return undefined
    if (path.length > DEEPEST) return fail(path, `deeper than ${DEEPEST} levels`)
    if (node === null || node === undefined) return null
    if (isAlias(node)) return walkAlias(node, path)
    if (isMap(node) || isSeq(node)) {
      open.add(node)
      const value = isMap(node)
        ? walkMap(node.items, path)
        : node.items.map((item, index) => walk(item, placed([...path, index], item)))
      open.delete(node)
      return value
    }
    const value = isScalar(node) ? node.value : undefined
    if (typeof value === "number" || typeof value === "boolean" || value === null) return value
    if (!isScalar(node) || typeof value !== "string")
      return fail(path, "a map, a list or a plain value was expected")
    return fill(unmask(value), path, node.range?.[0] ?? 0)
  }

  function walkAlias(alias: Alias, path: Path): unknown {
    const target = alias.resolve(document)
    if (target === undefined)
      return fail(path, "there is no anchor for this alias; a text that begins with '*' needs quotes")
    if (open.has(target)) return fail(path, "this alias contains itself")
    return walk(target, path)
  }

  function walkMap(pairs: readonly Pair[], path: Path): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    for (const pair of pairs) {
      const key = isScalar(pair.key) ? pair.key.value : undefined
      const isName = typeof key === "string" || typeof key === "number" || typeof key === "boolean"
      const inside = isName ? [...path, unmask(String(key))] : path
      const mistake = isName ? mistakeOfName(map, inside) : "a name was expected before ':'"
      if (mistake !== undefined) problems.add(lineAt(pair.key) ?? lineOf(path), formatPath(inside), mistake)
      else map[String(inside.at(-1))] = walk(pair.value, placed(inside, pair.key))
    }
    return map
  }

  function mistakeOfName(map: Record<string, unknown>, path: Path): string | undefined {
    const name = String(path.at(-1))
    if (name === "__proto__") return "this name is not allowed"
    if (name.includes("${")) return "the environment can be named in values, not in names"
    if (Object.hasOwn(map, name)) return `stands here a second time; the first is in line ${lineOf(path)}`
    return undefined
  }

  function fail(path: Path, message: string): undefined {
    problems.add(lineOf(path), formatPath(path), message)
  }

  function fill(text: string, path: Path, start: number): string {
    if (!text.includes("${")) return text
    written.set(JSON.stringify(path), text)
    return interpolate(text, environment, (message, name) => {
      const at = source.indexOf(`\${${name}`, start)
      problems.add(counter.linePos(at < 0 ? start : at).line, formatPath(path), message)
    })
  }

  function placed(path: Path, node: unknown): Path {
    const line = lineAt(node)
    if (line !== undefined) lines.set(JSON.stringify(path), line)
    return path
  }

  function lineAt(node: unknown): number | undefined {
    const start = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined
    return start === undefined ? undefined : counter.linePos(start).line
  }

  function lineOf(path: Path): number | undefined {
    for (let length = path.length; length >= 0; length--) {
      const line = lines.get(JSON.stringify(path.slice(0, length)))
      if (line !== undefined) return line
    }
    return 1
  }

  const source = text.replace(/^\ufeff/, "")
  const failed = (error: { code?: string; pos?: [number, number] }): Source => {
    problems.add(
      error.pos === undefined ? 1 : counter.linePos(error.pos[0]).line,
      "",
      describeSyntax(error.code),
    )
    return { value: undefined, lineOf, asWritten: () => undefined }
  }
  try {
    document = parseDocument(maskReferences(source), {
      lineCounter: counter,
      prettyErrors: false,
      uniqueKeys: false,
    })
  } catch {
    return failed({})
  }
  // One syntax error makes the rest of the file look wrong: the first is the one to mend.
  const mistake: YAMLError | undefined = [...document.errors, ...document.warnings].sort(
    (one, other) => one.pos[0] - other.pos[0],
  )[0]
  if (mistake !== undefined) return failed(mistake)
  return {
    value: walk(document.contents, placed([], document.contents)) ?? {},
    lineOf,
    asWritten: (path) => written.get(JSON.stringify(path)),
  }
}

/** Our own words: those of the parser quote the line, and with it perhaps a credential. */
function describeSyntax(code: string | undefined): string {
  return (
    (code !== undefined && SYNTAX[code]) ||
    "this is not YAML: a quote, a bracket or an indent seems to be wrong here"
  )
}

const SYNTAX: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias cannot have an anchor or a tag",
  BAD_ALIAS: "an alias needs a name after '*'; a text that begins with '*' needs quotes",
  BAD_DQ_ESCAPE: "an unknown escape after '\\' inside double quotes",
  BAD_INDENT: "the indent does not fit the lines above, or a bracket in them is not closed",
  BAD_SCALAR_START: "a text that begins with this character needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "two ': ' in one line: a text that holds ': ' needs quotes",
  MISSING_CHAR: "a closing quote or bracket, a comma or a space is missing",
  MULTILINE_IMPLICIT_KEY: "a name must stand in one line, with ':' after it",
  MULTIPLE_DOCS: "one document was expected; a second begins here with '---'",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "a tab in the indent; YAML indents with spaces",
  TAG_RESOLVE_FAILED: "tags are not known here; a text that begins with '!' needs quotes",
}
