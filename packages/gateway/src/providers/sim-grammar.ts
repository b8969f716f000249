/**
 * How the simulator is told what to do: by its model's name, `sim/<name>:key=value,…`. What stands before the last
 * colon is the name; the keys and their defaults are the table below.
 */
import { type WireError, wireError } from "@sluice/protocol"

export interface SimScript extends Script {
  readonly name: string
}

export type ReadSimModel =
  | { readonly type: "script"; readonly script: SimScript }
  | { readonly type: "error"; readonly error: WireError }

/** `model` with or without the leading `sim/`. */
export function readSimModel(model: string): ReadSimModel {
  const { name, script } = splitSimModel(model)
  if (name === "")
    return wrong(`The simulator's model '${shown(model)}' has no name: expected sim/<name>:key=value,…`)

  const values: Record<string, number | boolean> = {}
  for (const pair of script === undefined ? [] : script.split(",")) {
    const equals = pair.indexOf("=")
    const key = equals < 0 ? pair : pair.slice(0, equals)
    const value = equals < 0 ? "" : pair.slice(equals + 1)
    if (!isKey(key)) return wrong(`The simulator does not know the key '${shown(key)}'. It knows ${KNOWN}.`)
    const { expected, read } = KEYS[key]
    const meant = read(value)
    if (meant === undefined) {
      return wrong(
        `The simulator's key '${key}' takes ${expected}, not '${shown(value)}'. It knows ${KNOWN}.`,
      )
    }
    if (key in values) return wrong(`The simulator's key '${key}' is given twice. It knows ${KNOWN}.`)
    values[key] = meant
  }
  return { type: "script", script: { name, ...DEFAULTS, ...values } }
}

/** Suffixes such as `:nitro`, and lists of allowed models, look at what stands before the script. */
export function splitSimModel(model: string): { name: string; script: string | undefined } {
  const bare = model.startsWith("sim/") ? model.slice("sim/".length) : model
  const colon = bare.lastIndexOf(":")
  return colon < 0
    ? { name: bare, script: undefined }
    : { name: bare.slice(0, colon), script: bare.slice(colon + 1) }
}

/** By which name a provider's model is priced: the simulator's script is no part of it. */
export function pricedName(provider: string, model: string): string {
  return provider === "sim" ? splitSimModel(model).name : model
}

interface ValueKind<Value> {
  /** Ends the sentence "the key takes …". */
  readonly expected: string
  /** Undefined where the text is not such a value. */
  read(text: string): Value | undefined
}

/** Bounds are there so that no name can ask for more than a process survives. */
const count = integer(0, 1_000_000)

const KEYS = {
  tokens: count,
  ttft: duration(86_400_000),
  gap: duration(86_400_000),
  seed: integer(0, 4_294_967_295),
  reasoning: count,
  tools: integer(0, 128),
  usage: choice({ yes: true, none: false }),
  cut: count,
  stall: count,
  error_at: count,
  error: integer(400, 599),
  retry_after: integer(0, 86_400),
} satisfies Record<string, ValueKind<number | boolean>>

type Keys = typeof KEYS
type Key = keyof Keys
type Values = { readonly [K in Key]: NonNullable<ReturnType<Keys[K]["read"]>> }
type Defaults = Pick<Values, "tokens" | "ttft" | "gap" | "seed" | "reasoning" | "tools" | "usage">
/** What has no default is a fault, and absent it does not happen. */
type Script = Defaults & Partial<Omit<Values, keyof Defaults>>

const DEFAULTS: Defaults = { tokens: 64, ttft: 0, gap: 0, seed: 1, reasoning: 0, tools: 0, usage: true }
const KNOWN = Object.keys(KEYS).join(", ")

function isKey(text: string): text is Key {
  return Object.hasOwn(KEYS, text)
}

function integer(least: number, most: number): ValueKind<number> {
  return {
    expected: `an integer from ${least} to ${most}`,
    read(text) {
      const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
      return value >= least && value <= most ? value : undefined
    },
  }
}

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000 } as const

function duration(most: number): ValueKind<number> {
  return {
    expected: `a time such as 250, 250ms, 1.5s or 2m, of ${most} ms at most`,
    read(text) {
      const [, digits, unit] = /^(\d{1,10}(?:\.\d{1,6})?)(ms|s|m)?$/.exec(text) ?? []
      if (digits === undefined) return undefined
      const value = Number(digits) * (unit === "s" || unit === "m" ? MILLISECONDS[unit] : MILLISECONDS.ms)
      return value <= most ? value : undefined
    },
  }
}

function choice<Value>(words: Record<string, Value>): ValueKind<Value> {
  return {
    expected: Object.keys(words).join(" or "),
    read: (text) => (Object.hasOwn(words, text) ? words[text] : undefined),
  }
}

function wrong(message: string): ReadSimModel {
  return { type: "error", error: wireError("invalid_request", message, { param: "model" }) }
}

function shown(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text
}
