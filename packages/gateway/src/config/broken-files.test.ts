// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have
import assert from "node:assert/strict"
import { test } from "node:test"
import { BROKEN } from "../../test/broken-files.ts"
import { ConfigError, loadConfig, type Problem } from "../config.ts"

function problemsOf(yaml: string): readonly Problem[] {
  try {
    loadConfig({ file: "sluice.yaml", text: yaml, environment: { WORD: "word" }, flags: {} })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test("the table has at least fifty files, each of its own", () => {
  assert.ok(BROKEN.length >= 50)
  assert.equal(new Set(BROKEN.map(({ yaml }) => yaml)).size, BROKEN.length)
})

for (const { about, yaml, line, path, says } of BROKEN) {
  test(`a broken file: ${about}`, () => {
    const problems = problemsOf(yaml)
    assert.deepEqual(
      problems.map((problem) => ({ line: problem.line, path: problem.path })),
      [{ line, path }],
      JSON.stringify(problems),
    )
    assert.ok(problems[0]?.message.includes(says), problems[0]?.message)
  })
}

test("all mistakes of a file are told at once, in the order of their lines", () => {
  const yaml = `providers:
  openai: { kind: opnai, credential: \${NOT_SET} }
models:
  fast:
    candidates:
      - { provider: openia, model: m }
    retires: 2
    timers: { connect: 2, idle: 3s, totl: 1m }
server: { port: 99999 }
extra: 1
`
  assert.deepEqual(
    problemsOf(yaml).map(({ line, path }) => `${line} ${path}`),
    [
      "2 providers.openai.credential",
      "2 providers.openai.kind",
      "6 models.fast.candidates[0].provider",
      "7 models.fast.retires",
      "8 models.fast.timers.connect",
      "8 models.fast.timers.totl",
      "9 server.port",
      "10 extra",
    ],
  )
})

test("the message of a broken file names file, line, place and what was expected", () => {
  const load = (yaml: string) => () =>
    loadConfig({ file: "sluice.yaml", text: yaml, environment: {}, flags: {} })
  const candidates = "candidates: [{ provider: opnai, model: m }]"
  assert.throws(
    load(`providers:\n  openai: { kind: openai, credential: k }\nmodels: { fast: { ${candidates} } }\n`),
    {
      name: "ConfigError",
      message:
        'sluice.yaml:3: models.fast.candidates[0].provider: "opnai" is not a provider of this file (openai, sim); did you mean "openai"?',
    },
  )
  assert.throws(load("server:\n  port: x\n  host: ''\n"), {
    message:
      '2 mistakes in sluice.yaml:\n  sluice.yaml:2: server.port: expected a whole number from 0 to 65535; found "x"\n  sluice.yaml:3: server.host: expected a host name or address, such as 127.0.0.1; found ""',
  })
})

test("a bomb of aliases is refused in no time", () => {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `  l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(", ")}]`,
  )
  const problems = problemsOf(`models:\n  l0: &l0 [x]\n${levels.join("\n")}\n`)
  assert.ok(problems.some(({ message }) => message.includes("is an alias repeated?")))
})

test("a file nested thousands deep is refused like any other", () => {
  assert.deepEqual(
    problemsOf("[".repeat(20_000)).map(({ path }) => path),
    [""],
  )
})
