/**
 * The configuration file, setting by setting: what is written, what it becomes, and what people are told of it. Nothing
 * has a default here: a setting that is absent stays absent, so that the layers (built in, defaults, route) can be laid
 * over each other. The `default` of a setting's facts says what `settle.ts` puts in; a test compares the two.
 *
 * Every message of this schema is a noun, what was expected; `check-file.ts` makes the sentence.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have
import { z } from "zod"
import { picoPerCall, picoPerToken } from "../ledger/price.ts"
import { knownProvider, PROVIDER_KINDS } from "../providers/known-providers.ts"
import { parseOnDisconnect } from "../streams/on-disconnect.ts"
import { CREDENTIALS, readCredentials } from "./credentials.ts"
import {
  type Form,
  facts,
  named,
  numberFrom,
  oneOf,
  pattern,
  readings,
  trueOrFalse,
  type Written,
  wholeNumber,
} from "./facts.ts"
import type { Secret } from "./secret.ts"
import { DURATION, formatDuration, LONGEST_DURATION, parseDuration, parseSize, SIZE } from "./units.ts"

const STRATEGIES = ["ordered", "weighted", "least-busy", "latency", "cost"] as const
const DURABILITIES = ["memory", "process", "power"] as const

export type Strategy = (typeof STRATEGIES)[number]
export type Durability = (typeof DURABILITIES)[number]

export const PROVIDER_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/
export const MODEL_NAME = /^[\x21-\x7e]{1,256}$/
const HOST = /^[\w.-]{1,253}$/
const ADDRESS = /^[\da-fA-F:.]{2,45}(%[\w.-]+)?$/

const timers = map({
  connect: duration().optional().register(facts, {
    about: "How long a provider may take to accept the connection. Past it the next candidate is asked.",
    default: "5s",
    example: "2s",
  }),
  first_content: duration().optional().register(facts, {
    about:
      "How long until the first content. A provider's pings do not reset it. Past it the next candidate is asked.",
    default: "10m",
    example: "10s",
  }),
  idle: duration().optional().register(facts, {
    about: "How long a stream may be silent between two events. A provider's pings count as events.",
    default: "5m",
    example: "30s",
  }),
  total: duration().optional().register(facts, {
    about:
      "How long the whole answer may take. Time in which a slow reader holds the provider up does not count.",
    default: "30m",
    example: "10m",
  }),
})

/** What a route may set for itself, and `defaults` for every route. */
const route = {
  strategy: choice(STRATEGIES).optional().register(facts, {
    about: "The order in which the candidates are tried.",
    default: "ordered",
    example: "weighted",
  }),
  timers: timers.optional().register(facts, {
    about:
      "Four timers, each with a meaning. They merge singly: one that is left out comes from the layer below.",
    example: { connect: "2s", first_content: "10s" },
  }),
  retries: integer(0, 20).optional().register(facts, {
    about:
      "How often the candidates are gone through again when all of them have failed before the first content.",
    default: 0,
    example: 2,
  }),
  on_disconnect: setting(
    "cancel, drain:<seconds> or detach",
    pattern(/^(cancel|detach|drain:\d{1,6}s?)$/),
    (written) => parseOnDisconnect(String(written)),
  )
    .optional()
    .register(facts, {
      about:
        "What becomes of a call whose last reader has left: cancelled at once, after that many seconds without a reader, or finished. The header sluice-on-disconnect and the key's own setting win over it.",
      default: "cancel",
      example: "drain:30",
    }),
  continuation: choice(["off", "prefill"]).optional().register(facts, {
    about:
      "Whether a stream whose provider dies after the first content may go on at another candidate that has `prefill`. Read and kept; continuation itself comes with a later version.",
    default: "off",
    example: "prefill",
  }),
  commit: choice(["content", "headers"]).optional().register(facts, {
    about:
      "What the client's status waits for: the first content, so that a failure before it is an ordinary error response, or only the provider's headers.",
    default: "content",
    example: "headers",
  }),
}

const candidate = map({
  provider: name().register(facts, {
    about: "A provider of this file, or sim, the built-in simulator.",
    example: "openai",
  }),
  model: text("the provider's name for the model", (written) => written.length <= 512).register(facts, {
    about: "The model's name as that provider has it.",
    example: "gpt-4o-mini",
  }),
  weight: setting("a number above 0, up to 1000000", numberFrom(1e-6, 1e6), (written) =>
    numberIn(written, 1e-6, 1e6),
  )
    .optional()
    .register(facts, {
      about: "Its share of the calls beside the other candidates' weights, where the strategy is weighted.",
      default: 1,
      example: 3,
    }),
})

const provider = map({
  kind: choice(PROVIDER_KINDS).register(facts, {
    about:
      "Who the provider is: its address and its ways are known (docs/providers.md). openai-compatible is every other server that speaks like OpenAI's.",
    example: "openai-compatible",
  }),
  base_url: setting(
    "an http or https URL without user, query or fragment, such as http://127.0.0.1:8080/v1",
    pattern(/^[hH][tT][tT][pP][sS]?:[^?#\s]+$/),
    readUrl,
  )
    .optional()
    .register(facts, {
      about:
        "What stands before /chat/completions. Every kind has its own but azure and openai-compatible, which need one.",
      example: "http://127.0.0.1:8080/v1",
    }),
  credential: credential().optional().register(facts, {
    about:
      "The provider's key, or none. Several are used in turn: a list, or a text with commas between them. Take them from the environment: a file is copied, mailed and committed. A vendor's kind needs it said; an engine on your own machine and openai-compatible have none by default.",
    example: "${OPENAI_API_KEY}",
  }),
  prefill: setting("true or false", trueOrFalse(), readBoolean).optional().register(facts, {
    about:
      "Whether its models go on with an assistant's turn that they are given. Continuation needs it. A kind of which that is known has it on.",
    default: false,
    example: true,
  }),
  http2: setting("true or false", trueOrFalse(), readBoolean).optional().register(facts, {
    about:
      "Whether its calls share connections, where it is at https and speaks HTTP/2. It needs fewer sockets then, which matters where addresses are translated or counted; a call costs more time of the CPU, and a connection that breaks takes all its calls with it.",
    default: false,
    example: true,
  }),
  data_collection: choice(["allow", "deny"]).optional().register(facts, {
    about:
      "What you know of it: whether it may keep what it is sent, to train on it. Calls that ask for deny go only where you have said so.",
    example: "deny",
  }),
  zdr: setting("true or false", trueOrFalse(), readBoolean).optional().register(facts, {
    about: "That it keeps nothing at all of what it is sent, as you have agreed with it.",
    default: false,
    example: true,
  }),
})

const price = map({
  input: perMillion().register(facts, { about: "For tokens of the prompt.", example: 0.15 }),
  output: perMillion().register(facts, { about: "For tokens of the answer.", example: 0.6 }),
  cached: perMillion().optional().register(facts, {
    about: "For tokens of the prompt that the vendor had in its cache. Left out: as input.",
    example: 0.075,
  }),
  cache_write: perMillion().optional().register(facts, {
    about: "For tokens of the prompt that the vendor writes to its cache. Left out: as input.",
    example: 0.1875,
  }),
  reasoning: perMillion().optional().register(facts, {
    about: "For tokens of reasoning. Left out: as output.",
    example: 0.6,
  }),
  request: setting("USD per call, such as 0.005 (0 or more, 12 decimals at most)", numberFrom(0), (written) =>
    picoPerCall(String(written)),
  )
    .optional()
    .register(facts, {
      about: "In USD, for the call itself, beside its tokens. Left out: nothing.",
      example: 0.005,
    }),
})

export const configFile = map({
  providers: section(
    z.record(z.string(), provider, { error: "a map of providers by name" }).register(facts, {
      about:
        "The places that run models, each under the name that stands before the / of a model. With a file, only these and sim count.",
      also: { propertyNames: named(PROVIDER_NAME, ["sim"]), additionalProperties: { allOf: needs() } },
    }),
  ),
  models: section(
    z
      .record(
        z.string(),
        map({
          candidates: z
            .array(candidate, {
              error: "a list of candidates, such as - { provider: openai, model: gpt-4o-mini }",
            })
            .min(1, { error: "at least one candidate" })
            .register(facts, {
              about: "Who may answer. The next one is asked while nothing has reached the client.",
              example: [{ provider: "openai", model: "gpt-4o-mini" }],
            }),
          ...route,
        }),
        { error: "a map of routes by model name" },
      )
      .register(facts, {
        about:
          "Routes of your own, by the name that clients ask for. They win over provider/model. What a route leaves out is as in defaults.",
        also: { propertyNames: named(MODEL_NAME) },
      }),
  ),
  prices: section(
    z.record(z.string(), price, { error: "a map of prices by provider/model" }).register(facts, {
      about:
        "What models cost, by provider/model, in USD per million tokens. They win over the built-in table (docs/prices.md).",
      also: { propertyNames: named(/^[^/]+\/.+$/) },
    }),
  ),
  unpriced: choice(["refuse", "allow"]).optional().register(facts, {
    about:
      "What becomes of a call under a budget whose model has no price: refused with 402, or let through with a cost that nobody knows.",
    default: "refuse",
    example: "allow",
  }),
  defaults: section(
    map(route).register(facts, { about: "For every route, and for plain provider/model calls." }),
  ),
  streams: section(
    map({
      durability: choice(DURABILITIES).optional().register(facts, {
        about:
          "What a stream survives: the client's loss (memory), a kill -9 of the gateway (process), a power cut (power).",
        default: "process",
        example: "power",
        restart: true,
      }),
      keep: duration({ zero: true }).optional().register(facts, {
        about:
          "How long a stream can be resumed and retrieved after its ending, and its idempotency key counts.",
        default: "10m",
        example: "1h",
      }),
      max_bytes: size().optional().register(facts, {
        about: "Of one stream, this much is kept. Past it its oldest events go: who needs them gets 410.",
        default: "8MB",
        example: "32MB",
      }),
      total_bytes: size().optional().register(facts, {
        about: "Of all streams, this much is kept. Past it the streams go that ended longest ago.",
        default: "1GB",
        example: "10GB",
      }),
      keep_content: duration().optional().register(facts, {
        about:
          "How long what was asked and answered is kept in the database, word for word, for keys with log_content. Other keys' calls leave no word there.",
        default: "7d",
        example: "1d",
      }),
    }).register(facts, { about: "What is kept of streams, for how long and how safely." }),
  ),
  server: section(
    map({
      host: text("a host name or address, such as 127.0.0.1", isHost, either(HOST, ADDRESS))
        .optional()
        .register(facts, {
          about: "The address to listen on. Where others can reach it, a key of yours must be set.",
          default: "127.0.0.1",
          example: "0.0.0.0",
          restart: true,
        }),
      port: integer(0, 65_535).optional().register(facts, {
        about: "The port to listen on; 0 takes a free one.",
        default: 4000,
        example: 8080,
        restart: true,
      }),
      body_limit: size().optional().register(facts, {
        about: "The largest request body that is read.",
        default: "32MB",
        example: "8MB",
        restart: true,
      }),
      heartbeat: duration().optional().register(facts, {
        about:
          "After this much silence an open stream gets a comment, so that nothing in between takes it for dead. It is also how long the status waits for the first content.",
        default: "15s",
        example: "5s",
        restart: true,
      }),
      drain: duration({ zero: true }).optional().register(facts, {
        about: "How long running streams may take after SIGTERM, before they are ended as failed.",
        default: "30s",
        example: "2m",
        restart: true,
      }),
      cors: z
        .array(
          text(
            "an origin such as https://app.example.com, or *",
            isOrigin,
            pattern(/^(\*|https?:\/\/[^/?#\s]+)$/),
          ),
          {
            error: "a list of origins",
          },
        )
        .optional()
        .register(facts, {
          about: "The origins whose pages may call this gateway; * is any.",
          default: [],
          example: ["https://app.example.com"],
          restart: true,
        }),
    }).register(facts, { about: "Where it listens, and what it takes." }),
  ),
})

export type ConfigFile = z.output<typeof configFile>
export type WrittenRoute = NonNullable<ConfigFile["defaults"]>

/** What `check-file.ts` asks of a provider beyond its shape, as JSON Schema says it. */
function needs(): Form[] {
  const ofKind = (needed: string, needs: (kind: string) => boolean): Form => ({
    if: { properties: { kind: { enum: PROVIDER_KINDS.filter(needs) } }, required: ["kind"] },
    // biome-ignore lint/suspicious/noThenProperty: it is a word of JSON Schema
    then: { required: [needed] },
  })
  return [
    ofKind("base_url", (kind) => knownProvider(kind)?.baseUrl === undefined),
    ofKind("credential", (kind) => (knownProvider(kind)?.variables.length ?? 0) > 0),
  ]
}

/** A text or a list of texts, each with one key or several; `none` stands alone and is none. */
function credential() {
  const one = "the provider's key (printable, without spaces)"
  const any = `${one}, a list of its keys, or none`
  return z
    .union([z.string(), z.number(), z.boolean(), z.array(z.unknown())], { error: any })
    .transform((written, context): readonly Secret[] => {
      if (written === "none") return []
      const isList = Array.isArray(written) && written.length > 0
      const read = (isList ? written : [written]).map(readKeys)
      const wrong = read.indexOf(undefined)
      if (wrong < 0) return unique(read.flatMap((secrets) => secrets ?? []))
      const place = isList ? { message: one, path: [wrong] } : { message: any }
      context.issues.push({ code: "custom", input: written, ...place })
      return z.NEVER
    })
    .register(readings, {
      expected: any,
      form: { anyOf: [pattern(CREDENTIALS), { type: "array", minItems: 1, items: listedCredential() }] },
    })
}

function listedCredential(): Form {
  return { ...pattern(CREDENTIALS), not: { const: "none" } }
}

function readKeys(written: unknown): readonly Secret[] | undefined {
  return typeof written === "string" && written !== "none" ? readCredentials(written) : undefined
}

function unique(secrets: readonly Secret[]): readonly Secret[] {
  return [...new Map(secrets.map((secret) => [secret.reveal(), secret])).values()]
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
  return HOST.test(written) || ADDRESS.test(written)
}

function isOrigin(written: string): boolean {
  return written === "*" || (/^https?:/.test(written) && URL.parse(written)?.origin === written)
}

function perMillion() {
  return setting(
    "USD per million tokens, such as 0.15 (0 or more, 6 decimals at most)",
    numberFrom(0),
    (written) => picoPerToken(String(written)),
  )
}

function duration({ zero = false } = {}) {
  const range = `${zero ? "" : "above 0, "}at most ${formatDuration(LONGEST_DURATION)}`
  return setting(
    `a duration with its unit, such as 250ms, 2s or 10m (${range})`,
    pattern(zero ? DURATION : aboveZero(DURATION)),
    (written) => {
      const value = parseDuration(String(written))
      return value !== undefined && value <= LONGEST_DURATION && (zero || value > 0) ? value : undefined
    },
  )
}

function size() {
  return setting(
    "a size with its unit, such as 512KB, 8MB or 1GB (above 0)",
    pattern(aboveZero(SIZE)),
    (written) => {
      const value = parseSize(String(written))
      return value !== undefined && value > 0 && Number.isSafeInteger(value) ? value : undefined
    },
  )
}

function aboveZero(amount: RegExp): RegExp {
  return new RegExp(`^(?=.*[1-9])${amount.source}`)
}

function either(one: RegExp, other: RegExp): Form {
  return pattern(new RegExp(`${one.source}|${other.source}`))
}

function integer(least: number, most: number) {
  return setting(`a whole number from ${least} to ${most}`, wholeNumber(least, most), (written) => {
    const value = numberIn(written, least, most)
    return Number.isInteger(value) ? value : undefined
  })
}

function name() {
  return text("a name", (written) => written.length <= 256)
}

function text(expected: string, accepts: (written: string) => boolean, form = pattern(/\S/)) {
  return setting(expected, form, (written) =>
    typeof written === "string" && written.trim() !== "" && !/\p{Cc}/u.test(written) && accepts(written)
      ? written
      : undefined,
  )
}

function choice<const Name extends string>(names: readonly Name[]) {
  const expected = `one of ${names.join(", ")}`
  return setting(expected, oneOf(names), (written) => names.find((name) => name === written), names)
}

function setting<Value>(
  expected: string,
  form: Form,
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
    .register(readings, { expected, form })
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
