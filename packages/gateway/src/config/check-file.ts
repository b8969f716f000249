/** A configuration file's values against the schema and against each other. All mistakes are gathered. */
import type { z } from "zod"
import type { KnownProvider } from "../providers/known-provider.ts"
import { knownProvider, PROVIDER_KINDS } from "../providers/known-providers.ts"
import { pricedName } from "../providers/sim-grammar.ts"
import { type ConfigFile, configFile, MODEL_NAME, PROVIDER_NAME } from "./file.schema.ts"
import { formatPath, type Path, type Problems, show, suggest } from "./problems.ts"
import type { Source } from "./source.ts"

/** The simulator: always there, so nobody else can have its name. */
export const SIM = "sim"

export function checkFile(source: Source, problems: Problems): ConfigFile | undefined {
  // What has been said about a place explains whatever else is wrong there.
  const fail = (path: Path, message: string): void => {
    const place = formatPath(path)
    if (!problems.list.some((problem) => problem.path === place))
      problems.add(source.lineOf(path), place, message)
  }
  const result = configFile.safeParse(source.value)
  checkNames(source, fail)
  checkProviders(source.value, fail)
  checkCandidates(source, fail)
  checkPrices(source, fail)
  for (const issue of result.error?.issues ?? []) tell(issue, source, fail)
  return problems.list.length === 0 ? result.data : undefined
}

type Fail = (path: Path, message: string) => void

function tell(issue: z.core.$ZodIssue, source: Source, fail: Fail): void {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)))
  if (issue.code === "unrecognized_keys") {
    const known = issue.message.split(", ")
    for (const key of issue.keys) {
      const near = suggest(key, known)
      fail([...path, key], `is not known here (${issue.message})${near}`)
    }
    return
  }
  const value = at(source.value, path)
  if (value === undefined || value === null) {
    fail(path, `is ${value === null ? "empty" : "missing"}; expected ${issue.message}`)
    return
  }
  const known = issue.code === "custom" && Array.isArray(issue.params?.["known"]) ? issue.params["known"] : []
  const near = typeof value === "string" && source.asWritten(path) === undefined ? suggest(value, known) : ""
  fail(path, `expected ${issue.message}; found ${found(source, path, value)}${near}`)
}

/** As it was written, never as the environment has it; and of a credential only that it is wrong. */
function found(source: Source, path: Path, value: unknown): string {
  const [section, , setting] = path
  const confidential = section === "providers" && (setting === "credential" || setting === "base_url")
  if (confidential && typeof value !== "object") return "something else, not shown here"
  return show(source.asWritten(path) ?? value)
}

function checkNames(source: Source, fail: Fail): void {
  for (const name of keysOf(at(source.value, ["providers"]))) {
    const path = ["providers", name]
    if (name === SIM) fail(path, `'${SIM}' is the built-in simulator; give this provider another name`)
    else if (!PROVIDER_NAME.test(name)) {
      fail(
        path,
        "a provider's name has letters, digits, '-', '_' and '.', 64 at most: it stands before the '/' of a model",
      )
    }
  }
  for (const name of keysOf(at(source.value, ["models"]))) {
    if (!MODEL_NAME.test(name))
      fail(["models", name], "a model's name has 1 to 256 printable characters and no space")
  }
}

function checkProviders(value: unknown, fail: Fail): void {
  for (const name of keysOf(at(value, ["providers"]))) {
    const path = ["providers", name]
    const kind = PROVIDER_KINDS.find((name) => name === at(value, [...path, "kind"]))
    if (kind === undefined) continue
    const known = knownProvider(kind)
    const isGiven = (key: string): boolean => at(value, [...path, key]) !== undefined
    if (known?.baseUrl === undefined && !isGiven("base_url"))
      fail([...path, "base_url"], needsUrl(kind, known))
    if (known !== undefined && known.variables.length > 0 && !isGiven("credential"))
      fail([...path, "credential"], needsCredential(known))
  }
}

function needsUrl(kind: string, known: KnownProvider | undefined): string {
  if (known === undefined) return `is missing; kind ${kind} needs it, such as http://127.0.0.1:8080/v1`
  return `is missing; kind ${kind} needs the address of your own resource, such as ${known.example}`
}

function needsCredential({ variables }: KnownProvider): string {
  return `is missing; expected the provider's key, such as \${${variables[0]}}, or none`
}

function checkCandidates(source: Source, fail: Fail): void {
  const known = providersOf(source)
  for (const model of keysOf(at(source.value, ["models"]))) {
    const candidates = at(source.value, ["models", model, "candidates"])
    if (!Array.isArray(candidates)) continue
    for (const index of candidates.keys()) {
      const path = ["models", model, "candidates", index, "provider"]
      const provider = at(source.value, path)
      if (typeof provider !== "string" || provider.trim() === "" || known.includes(provider)) continue
      const written = source.asWritten(path)
      const near = written === undefined ? suggest(provider, known) : ""
      fail(path, `${show(written ?? provider)} is not a provider of this file (${known.join(", ")})${near}`)
    }
  }
}

function checkPrices(source: Source, fail: Fail): void {
  const known = providersOf(source)
  for (const name of keysOf(at(source.value, ["prices"]))) {
    const [provider = "", ...rest] = name.split("/")
    const model = rest.join("/")
    const path = ["prices", name]
    if (provider === "" || model === "") {
      fail(path, "a price is named by provider and model, such as openai/gpt-4o-mini")
    } else if (!known.includes(provider)) {
      const near = suggest(provider, known)
      fail(path, `${show(provider)} is not a provider of this file (${known.join(", ")})${near}`)
    } else if (pricedName(provider, model) !== model) {
      fail(path, `a script has no price of its own; expected ${SIM}/${pricedName(provider, model)}`)
    }
  }
}

function providersOf(source: Source): string[] {
  return [...keysOf(at(source.value, ["providers"])).filter((name) => name !== SIM), SIM]
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, step) => (isMap(inside) && Object.hasOwn(inside, step) ? inside[step] : undefined),
    value,
  )
}

function keysOf(value: unknown): string[] {
  return isMap(value) && !Array.isArray(value) ? Object.keys(value) : []
}

function isMap(value: unknown): value is Record<string | number, unknown> {
  return typeof value === "object" && value !== null
}
