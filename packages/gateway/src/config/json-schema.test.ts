// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Schema, Validator } from "@cfworker/json-schema"
import fc from "fast-check"
import { parseDocument } from "yaml"
import { BROKEN } from "../../test/broken-files.ts"
import { CREDENTIAL, EXAMPLE, fileWith, load } from "../../test/config-support.ts"
import { ConfigError, configurationSchema } from "../config.ts"
import { maskReferences, unmask } from "./interpolate.ts"
import { settings } from "./settings.ts"

const validator = new Validator(configurationSchema() as Schema, "7")

/** What an editor makes of a file: undefined where it is no YAML, which it says by itself. */
function asAnEditorSees(yaml: string): unknown {
  try {
    const document = parseDocument(maskReferences(yaml), { logLevel: "error" })
    if (document.errors.length + document.warnings.length > 0) return undefined
    const plain = JSON.stringify(document.toJS({ maxAliasCount: 100 }))
    return JSON.parse(plain, (_, value: unknown) => (typeof value === "string" ? unmask(value) : value)) ?? {}
  } catch {
    return undefined
  }
}

function isRefused(yaml: string): boolean {
  const value = asAnEditorSees(yaml)
  return value === undefined || !validator.validate(value).valid
}

/** What takes more than the shape of a file to see. */
const BEYOND: Readonly<Record<string, readonly string[]>> = {
  "which names belong together": [
    "an unknown provider",
    "a second candidate, unknown",
    "a provider of the environment, which a file leaves out",
    "a price of an unknown provider",
    "a price of a script",
  ],
  "what the environment holds": [
    "an unset variable",
    "an unset variable inside a text",
    "an unset variable further down in a text",
    "a name that every object has",
    "a port that the environment has wrong",
  ],
  "how much a number or a unit may hold": [
    "a timer that the runtime would fire at once",
    "a price finer than a pico-dollar",
    "a price per call finer than a pico-dollar",
    "a price beyond exact numbers",
  ],
  "what a URL has inside": ["a base_url with a password"],
}

test("every broken file is broken for an editor too, but for what takes more than its shape", () => {
  const unseen = BROKEN.filter(({ yaml }) => !isRefused(yaml)).map(({ about }) => about)
  assert.deepEqual(unseen.toSorted(), Object.values(BEYOND).flat().toSorted())
})

test("the design's example, an empty file and empty sections are good for an editor", () => {
  for (const yaml of [EXAMPLE, "", "{}", "providers:\nmodels:\nprices:\ndefaults:\nstreams:\nserver:\n"])
    assert.deepEqual(validator.validate(asAnEditorSees(yaml)).errors, [], yaml)
})

test("an editor says what the gateway says: what was expected", () => {
  const messages = JSON.stringify(configurationSchema())
  for (const { expected, inside } of settings())
    if (!inside && !expected.startsWith("a list,"))
      assert.ok(messages.includes(JSON.stringify(`expected ${expected}`)), expected)
})

/** What people write, right in one place and wrong in another. */
const WRITTEN: readonly unknown[] = [
  ...settings().flatMap(({ default: builtIn, example }) => [builtIn, example]),
  ...["openrouter", "least-busy", "memory", "headers", "detach", "drain:5s", "drain:5", "drain:5m", "none"],
  ...["0s", "0ms", "1.5m", "0.5h", "1d", "25d", "1", "1s ", " 1s", "1S", "0MB", "1.5GB", "1kb", "00001B"],
  ...[
    "*",
    "https://a.example",
    "https://a.example/",
    "http://a:1",
    "HTTP://a",
    "http:a",
    "ftp://a",
    "a b",
    "",
  ],
  ...[
    "true",
    "false",
    "yes",
    "localhost",
    "::1",
    "fe80::1%eth0",
    "::FFFF:1.2.3.4",
    "1.0",
    "1.5",
    "-1",
    "007",
  ],
  ...[
    "${ONE}",
    "${TIME}",
    "${SIZE}",
    "${NOT_SET:-2}",
    "${EMPTY:-1s}",
    "http://${ONE}:${ONE}",
    "${NOT_SET}",
    "${",
  ],
  ...[0, 1, -1, 1.5, 20, 21, 65_535, 65_536, 1e-7, 1e9, true, false, null, [], ["*"], {}, { connect: "1s" }],
]
const environment = { OPENAI_API_KEY: CREDENTIAL, ONE: "1", TIME: "2s", SIZE: "1MB", EMPTY: "" }

const PLACES = settings().map(({ path }) => path)

test("whatever the gateway takes is good for an editor, in every place, and most of what it refuses is not", () => {
  const tally = { taken: 0, refusedByBoth: 0, refusedByTheGateway: 0 }
  for (const path of PLACES) {
    for (const written of WRITTEN) {
      const yaml = fileWith(path, written)
      const { valid } = validator.validate(JSON.parse(yaml))
      if (isTaken(yaml)) {
        assert.ok(valid, yaml)
        tally.taken++
      } else if (valid) tally.refusedByTheGateway++
      else tally.refusedByBoth++
    }
  }
  assert.ok(tally.taken > 500, JSON.stringify(tally))
  assert.ok(tally.refusedByBoth > 5 * tally.refusedByTheGateway, JSON.stringify(tally))
})

test("so is whatever nobody has thought of", () => {
  const value = fc.oneof(
    fc.stringMatching(/^\d{1,3}(\.\d{1,3})?(ms|s|m|h|d|B|KB|MB|GB|TB)$/),
    fc.stringMatching(/^\d{1,6}(\.\d{1,7})?$/),
    fc.integer({ min: -2, max: 70_000 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.webUrl({ validSchemes: ["http", "https"] }),
    fc.ipV6(),
    fc.string(),
    fc.string().map((text) => `\${ONE}${text}`),
    fc.array(fc.constantFrom(...WRITTEN), { maxLength: 2 }),
  )
  let taken = 0
  fc.assert(
    fc.property(fc.constantFrom(...PLACES), value, (path, written) => {
      const yaml = fileWith(path, written)
      if (!isTaken(yaml)) return
      taken++
      assert.deepEqual(validator.validate(JSON.parse(yaml)).errors, [])
    }),
    { numRuns: 2_000 },
  )
  assert.ok(taken > 100, `${taken} were taken`)
})

function isTaken(yaml: string): boolean {
  try {
    load(yaml, { environment })
    return true
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}
