/**
 * The configuration file, setting by setting: what is written, what it becomes. Nothing has a default here: a setting
 * that is absent stays absent, so that the layers (built in, defaults, route) can be laid over each other.
 *
 * Every message of this schema is a noun, what was expected; `check-file.ts` makes the sentence.
 */
import { z } from "zod"
import { picoPerCall, picoPerToken } from "../ledger/price.ts"
import { parseOnDisconnect } from "../streams/on-disconnect.ts"
import { isBuilt, PROVIDER_KINDS } from "./known-providers.ts"
import { createSecret, type Secret } from "./secret.ts"
import { formatDuration, LONGEST_DURATION, parseDuration, parseSize } from "./units.ts"

const STRATEGIES = ["ordered", "weighted", "least-busy", "latency", "cost"] as const
const DURABILITIES = ["memory", "process", "power"] as const

export type Strategy = (typeof STRATEGIES)[number]
export type Durability = (typeof DURABILITIES)[number]

type Written = string | number | boolean

const name = text("a name", (written) => written.length <= 256)
const timers = map({
  connect: duration().optional(),
  first_content: duration().optional(),
  idle: duration().optional(),
  total: duration().optional(),
})

/** What a route may set for itself, and `defaults` for every route. */
const route = {
  strategy: choice(STRATEGIES).optional(),
  timers: timers.optional(),
  retries: integer(0, 20).optional(),
  on_disconnect: setting("cancel, drain:<seconds> or detach", (written) =>
    parseOnDisconnect(String(written)),
  ).optional(),
  continuation: choice(["off", "prefill"]).optional(),
  commit: choice(["content", "headers"]).optional(),
}

const candidate = map({
  provider: name,
  model: text("the provider's name for the model", (written) => written.length <= 512),
  weight: setting("a number above 0, up to 1000000", (written) => numberIn(written, 1e-6, 1e6)).optional(),
})

const provider = map({
  kind: choice(PROVIDER_KINDS.filter(isBuilt)),
  base_url: setting(
    "an http or https URL without user, query or fragment, such as http://127.0.0.1:8080/v1",
    readUrl,
  ).optional(),
  credential: setting("the provider's key (printable, without spaces), or none", readCredential).optional(),
  prefill: setting("true or false", readBoolean).optional(),
})

const perMillion = setting(
  "USD per million tokens, such as 0.15 (0 or more, 6 decimals at most)",
  (written) => picoPerToken(String(written)),
)

const price = map({
  input: perMillion,
  output: perMillion,
  cached: perMillion.optional(),
  cache_write: perMillion.optional(),
  reasoning: perMillion.optional(),
  request: setting("USD per call, such as 0.005 (0 or more, 12 decimals at most)", (written) =>
    picoPerCall(String(written)),
  ).optional(),
})

export const configFile = map({
  providers: section(z.record(z.string(), provider, { error: "a map of providers by name" })),
  models: section(
    z.record(
      z.string(),
      map({
        candidates: z
          .array(candidate, {
            error: "a list of candidates, such as - { provider: openai, model: gpt-4o-mini }",
          })
          .min(1, { error: "at least one candidate" }),
        ...route,
      }),
      { error: "a map of routes by model name" },
    ),
  ),
  prices: section(z.record(z.string(), price, { error: "a map of prices by provider/model" })),
  unpriced: choice(["refuse", "allow"]).optional(),
  defaults: section(map(route)),
  streams: section(
    map({
      durability: choice(DURABILITIES).optional(),
      keep: duration({ zero: true }).optional(),
      max_bytes: size().optional(),
      total_bytes: size().optional(),
      keep_content: duration().optional(),
    }),
  ),
  server: section(
    map({
      host: text("a host name or address, such as 127.0.0.1", isHost).optional(),
      port: integer(0, 65_535).optional(),
      body_limit: size().optional(),
      heartbeat: duration().optional(),
      drain: duration({ zero: true }).optional(),
      cors: z
        .array(text("an origin such as https://app.example.com, or *", isOrigin), {
          error: "a list of origins",
        })
        .optional(),
    }),
  ),
})

export type ConfigFile = z.output<typeof configFile>
export type WrittenRoute = NonNullable<ConfigFile["defaults"]>

/** `null`: the provider takes none. */
function readCredential(written: Written): Secret | null | undefined {
  if (written === "none") return null
  return typeof written === "string" && /^[\x21-\x7e]+$/.test(written) ? createSecret(written) : undefined
}

function readUrl(written: Written): string | undefined {
  const url = URL.parse(String(written))
  if (url === null || !/^https?:$/.test(url.protocol) || /[?#\s]/.test(String(written))) return undefined
  return url.username === "" && url.password === "" ? url.href.replace(/\/+$/, "") : undefined
}

/** Strings too: what comes out of the environment always is one. */
function readBoolean(written: Written): boolean | undefined {
  if (typeof written === "boolean") return written
  return written === "true" ? true : written === "false" ? false : undefined
}

function numberIn(written: Written, least: number, most: number): number | undefined {
  const value = typeof written === "string" && /^\d+(\.\d+)?$/.test(written) ? Number(written) : written
  return typeof value === "number" && value >= least && value <= most ? value : undefined
}

export function isHost(written: string): boolean {
  return /^[\w.-]{1,253}$/.test(written) || /^[\da-f:.]{2,45}(%[\w.-]+)?$/i.test(written)
}

function isOrigin(written: string): boolean {
  return written === "*" || (/^https?:/.test(written) && URL.parse(written)?.origin === written)
}

function duration({ zero = false } = {}) {
  const range = `${zero ? "" : "above 0, "}at most ${formatDuration(LONGEST_DURATION)}`
  return setting(`a duration with its unit, such as 250ms, 2s or 10m (${range})`, (written) => {
    const value = parseDuration(String(written))
    return value !== undefined && value <= LONGEST_DURATION && (zero || value > 0) ? value : undefined
  })
}

function size() {
  return setting("a size with its unit, such as 512KB, 8MB or 1GB (above 0)", (written) => {
    const value = parseSize(String(written))
    return value !== undefined && value > 0 && Number.isSafeInteger(value) ? value : undefined
  })
}

function integer(least: number, most: number) {
  return setting(`a whole number from ${least} to ${most}`, (written) => {
    const value = numberIn(written, least, most)
    return Number.isInteger(value) ? value : undefined
  })
}

function text(expected: string, accepts: (written: string) => boolean) {
  return setting(expected, (written) =>
    typeof written === "string" && written.trim() !== "" && !/\p{Cc}/u.test(written) && accepts(written)
      ? written
      : undefined,
  )
}

function choice<const Name extends string>(names: readonly Name[]) {
  return setting(`one of ${names.join(", ")}`, (written) => names.find((name) => name === written), names)
}

function setting<Value>(
  expected: string,
  read: (written: Written) => Value | undefined,
  known: readonly string[] = [],
) {
  return z
    .union([z.string(), z.number(), z.boolean()], { error: expected })
    .transform((written, context): Value => {
      const value = read(written)
      if (value !== undefined) return value
      context.issues.push({ code: "custom", message: expected, input: written, params: { known } })
      return z.NEVER
    })
}

/** A section whose settings are all commented out is an empty one. */
function section<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish()
}

/** For a key that it does not know, the message is the list of those that it does. */
function map<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? Object.keys(shape).join(", ") : "a map of settings",
  })
}
