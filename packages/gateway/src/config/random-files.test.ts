// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { CREDENTIAL, EXAMPLE, load } from "../../test/config-support.ts"
import { ConfigError } from "../config.ts"

test("whatever the file holds, the answer is a configuration or a ConfigError whose problems can be found", () => {
  const environment = { OPENAI_API_KEY: CREDENTIAL }
  const noise = fc.string({ unit: fc.constantFrom(..."{}[]:,-#&*!|>'\"%@`$ \n\tab1_.~?<\ue07b\u0000") })
  const damaged = fc
    .array(fc.record({ at: fc.nat(EXAMPLE.length), drop: fc.nat(9), put: noise }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((edits) =>
      edits.reduce(
        (text, { at, drop, put }) => text.slice(0, at) + put.slice(0, 6) + text.slice(at + drop),
        EXAMPLE,
      ),
    )
  const names = fc.constantFrom(
    ...[
      "providers",
      "models",
      "defaults",
      "streams",
      "server",
      "prices",
      "unpriced",
      "sim/story",
      "input",
      "kind",
      "credential",
      "candidates",
      "timers",
      "keep",
    ],
    ...["port", "cors", "sim", "__proto__", "constructor", "toString", "${A}", ""],
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<unknown>(
        "openai",
        "none",
        "1s",
        "1MB",
        "",
        "${A}",
        null,
        true,
        0,
        -1,
        Number.MAX_VALUE,
      ),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(names, tie("tree"), { maxKeys: 4 }),
    ),
  }))
  const written = tree.map((value) => JSON.stringify(value))
  let refused = 0
  let accepted = 0
  fc.assert(
    fc.property(fc.oneof(fc.string(), noise, damaged, written), (text) => {
      try {
        assert.ok(Object.isFrozen(load(text, { environment })))
        accepted++
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        refused++
        const lines = text.split(/\r\n|\r|\n/).length
        assert.ok(error.problems.length > 0)
        assert.ok(!error.message.includes(CREDENTIAL), error.message)
        for (const { line, message } of error.problems) {
          assert.ok(line !== undefined && line >= 1 && line <= lines + 1, `line ${line} of ${lines}`)
          assert.ok(
            message !== "" && !message.includes("undefined") && !message.includes("Invalid input"),
            message,
          )
        }
      }
    }),
    { numRuns: 1_000 },
  )
  assert.ok(refused > 0 && accepted > 0, `${refused} refused, ${accepted} accepted`)
})
