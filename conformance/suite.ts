/** The suite: everything that a call can come to, asked of one SDK after the other, streamed and whole. */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { setTimeout } from "node:timers/promises"
import {
  type Ability,
  type Answer,
  type Ask,
  type Caller,
  describeError,
  type FunctionTool,
  type JsonSchema,
  type Mode,
  type RefusalStatus,
} from "./caller.ts"
import { reference } from "./reference.ts"
import { LIMIT, NOTHING_BEHIND, startTarget, type Target } from "./support.ts"

export function conformance(callers: readonly Caller[]): void {
  let target: Target
  const unhandled: unknown[] = []
  before(async () => {
    process.on("unhandledRejection", (reason) => unhandled.push(reason))
    target = await startTarget()
  })
  after(() => target?.stop())

  for (const caller of callers) {
    for (const mode of ["streamed", "whole"] as const) {
      for (const scenario of SCENARIOS) declare(caller, mode, scenario, () => target)
      for (const status of [400, 401, 404, 429, 503] as const) {
        test(`${caller.name}: a ${status} is the error that it has for it, ${mode}`, LIMIT, () =>
          refused(caller, mode, status, target),
        )
      }
    }
    if (caller.models) {
      test(`${caller.name}: its own call lists the models`, LIMIT, async () => {
        assert.ok((await caller.models?.(target))?.includes("sim/story"))
      })
    }
  }

  test("no SDK has left a rejection unhandled", async () => {
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(unhandled.map(describeError), [])
  })
}

interface Situation {
  readonly caller: Caller
  readonly mode: Mode
  readonly target: Target
  /** Milliseconds for what should happen at once; what never happens takes as long. */
  readonly patience: number
}

interface Scenario {
  readonly name: string
  readonly ability?: Ability
  readonly needsBehind?: true
  run(situation: Situation): Promise<void>
}

const PROMPT = "Tell me a short story."

const TOOLS: readonly FunctionTool[] = [
  { name: "weather_of", description: "The weather", parameters: schemaOf({ city: "string" }) },
  { name: "time_in", description: "The time", parameters: schemaOf({ zone: "string", offset: "integer" }) },
]

const SCENARIOS: readonly Scenario[] = [
  answered("plain text arrives to the letter", undefined, {}, "tokens=40", (answer, expected) => {
    assert.equal(answer.text, expected.text)
    assert.equal(answer.finishReason, "stop")
  }),
  answered(
    "reasoning arrives beside the text",
    "reasoning",
    {},
    "reasoning=9,tokens=12",
    (answer, expected) => {
      assert.ok(expected.reasoning.length > 0)
      assert.equal(answer.reasoning, expected.reasoning)
      assert.equal(answer.text, expected.text)
    },
  ),
  answered(
    "two parallel tool calls arrive, each with its own arguments",
    "tools",
    { tools: TOOLS },
    "tokens=0,tools=2",
    (answer, expected) => {
      assert.equal(expected.toolCalls.length, 2)
      assert.deepEqual(answer.toolCalls, expected.toolCalls)
      assert.equal(answer.finishReason, "tool_calls")
    },
  ),
  answered(
    "a structured answer is the JSON that was asked for",
    "json",
    { schema: schemaOf({ city: "string", degrees: "integer" }) },
    "",
    (answer, expected) => {
      assert.equal(answer.text, expected.text)
      assert.deepEqual(Object.keys(JSON.parse(answer.text)), ["city", "degrees"])
    },
  ),
  answered("logprobs arrive token by token", "logprobs", { logprobs: 2 }, "tokens=6", (answer, expected) => {
    assert.equal(expected.logprobs?.length, 6)
    assert.deepEqual(answer.logprobs, expected.logprobs)
  }),
  {
    name: "usage is what the provider's own books say",
    ability: "usage",
    needsBehind: true,
    async run({ caller, mode, target }) {
      const model = target.model("reasoning=3,tokens=17")
      const answer = await call(caller, mode, target, { model, prompt: PROMPT, usage: true })
      const { prompt_tokens: prompt, completion_tokens: completion } = await target.behind!.journalOf(model)
      assert.ok(prompt > 0 && completion === 20)
      assert.equal(answer.usage?.prompt, prompt)
      assert.equal(answer.usage?.completion, completion)
    },
  },
  failing("an error within the answer is seen as one", "in-band error", "error_at=5", "told"),
  failing("a provider that is cut is seen as a failure", "cut", "cut=5", "cut"),
  {
    name: "an abort ends the provider's work",
    ability: "abort",
    needsBehind: true,
    run: (situation) => (situation.mode === "streamed" ? abortStream(situation) : abortWhole(situation)),
  },
]

/** What the SDK hands out is what the simulator says, without error. */
function answered(
  name: string,
  ability: Ability | undefined,
  more: Partial<Ask>,
  script: string,
  check: (answer: Answer, expected: Answer) => void,
): Scenario {
  return {
    name,
    ability,
    async run({ caller, mode, target }) {
      const ask = { model: target.model(script), prompt: PROMPT, ...more }
      const [answer, expected] = await Promise.all([
        call(caller, mode, target, ask),
        reference(target.simUrl, ask),
      ])
      check(answer, expected)
    },
  }
}

function failing(name: string, ability: Ability, script: string, kind: keyof Caller["failure"]): Scenario {
  return {
    name,
    ability,
    async run({ caller, mode, target }) {
      const ask = { model: target.model(`tokens=40,${script}`), prompt: PROMPT }
      const answer = await caller[mode === "streamed" ? "stream" : "complete"](target, ask)
      assert.ok(answer.error !== undefined, "the answer must not look complete")
      if (mode === "whole") return assert.equal(statusOf(answer.error), 502)
      assert.match(describeError(answer.error), caller.failure[kind])
      const whole = await reference(target.simUrl, { ...ask, model: ask.model.replace(/,\w+=5$/, "") })
      assert.ok(answer.text !== "" && whole.text.startsWith(answer.text) && answer.text !== whole.text)
    },
  }
}

/** 100,000 tokens are never through before the abort at the third. */
async function abortStream({ caller, target }: Situation): Promise<void> {
  const model = target.model("tokens=100000,gap=1")
  const controller = new AbortController()
  let pieces = 0
  const heard = (): void => {
    pieces += 1
    if (pieces === 3) controller.abort()
  }
  await caller.stream(target, { model, prompt: PROMPT, signal: controller.signal, heard })
  const line = await target.behind!.journalOf(model)
  assert.equal(line.ended, "client_gone")
  assert.ok(line.tokens >= 3 && line.tokens < line.completion_tokens)
}

async function abortWhole({ caller, target, patience }: Situation): Promise<void> {
  const controller = new AbortController()
  const model = `silent-${caller.name}`
  const silence = target.behind!.raw.silent(model)
  const answering = caller.complete(target, {
    model: `raw/${model}`,
    prompt: PROMPT,
    signal: controller.signal,
  })
  await silence.asked
  controller.abort()
  assert.ok((await answering).error !== undefined)
  const timer = new AbortController()
  const late = setTimeout(patience, "late", { signal: timer.signal })
  const seen = await Promise.race([silence.left, late.catch(() => "late")])
  timer.abort()
  assert.notEqual(seen, "late", "the provider is still at work")
}

async function refused(caller: Caller, mode: Mode, status: RefusalStatus, target: Target): Promise<void> {
  const models: Record<RefusalStatus, string> = {
    400: target.model("error=400"),
    401: target.model(""),
    404: "nobody/knows-this",
    429: target.model("error=429,retry_after=60"),
    503: target.model("error=503,retry_after=60"),
  }
  const server = status === 401 ? { ...target, key: "sk-wrong" } : target
  const ask = { model: models[status], prompt: PROMPT }
  const { error, text } = await caller[mode === "streamed" ? "stream" : "complete"](server, ask)
  assert.equal(text, "")
  assert.equal(describeError(error).split(":")[0], caller.refusals[status], describeError(error))
  assert.equal(statusOf(error), status)
}

/**
 * What an SDK cannot do is run as well, and must fail: a reason that no longer holds is a test that fails, and all
 * others are printed.
 */
function declare(caller: Caller, mode: Mode, scenario: Scenario, target: () => Target): void {
  const incapable = caller.cannot.find(
    (row) => row.ability === scenario.ability && (row.mode === undefined || row.mode === mode),
  )
  if (incapable === undefined) {
    test(`${caller.name}: ${scenario.name}, ${mode}`, LIMIT, (t) => {
      if (scenario.needsBehind && !target().behind) return t.diagnostic(NOTHING_BEHIND)
      return scenario.run({ caller, mode, target: target(), patience: 20_000 })
    })
    return
  }
  test(`${caller.name} cannot do "${scenario.name}", ${mode}: ${incapable.why}`, LIMIT, async (t) => {
    t.diagnostic(`absent in ${caller.name}: ${incapable.ability}, ${mode}: ${incapable.why}`)
    if (scenario.needsBehind && !target().behind) return
    await assert.rejects(
      scenario.run({ caller, mode, target: target(), patience: 500 }),
      assert.AssertionError,
    )
  })
}

async function call(caller: Caller, mode: Mode, target: Target, ask: Ask): Promise<Answer> {
  const answer = await caller[mode === "streamed" ? "stream" : "complete"](target, ask)
  if (answer.error !== undefined) throw answer.error
  return answer
}

/** `status` or `statusCode`, wherever the SDK keeps it. */
function statusOf(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return undefined
  if ("statusCode" in error) return error.statusCode
  return "status" in error ? error.status : undefined
}

function schemaOf(properties: Record<string, "string" | "integer">): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries(Object.entries(properties).map(([name, type]) => [name, { type }])),
    required: Object.keys(properties),
    additionalProperties: false,
  }
}
