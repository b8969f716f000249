/** OpenAI's custom tools, as its own SDK sends and reads them; a server that cannot do them says so at once. */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import OpenAI from "openai"
import type {
  ChatCompletionCustomTool,
  ChatCompletionFunctionTool,
  ChatCompletionMessageCustomToolCall,
  ChatCompletionMessageParam,
  ChatCompletionMessageToolCall,
} from "openai/resources/chat/completions"
import { DOORS } from "../doors.ts"
import { rawCall } from "../raw-call.ts"
import { LIMIT, NOTHING_BEHIND, startTarget, type Target } from "../support.ts"

const RUN: ChatCompletionCustomTool = {
  type: "custom",
  custom: { name: "run", description: "Runs Python.", format: { type: "text" } },
}
const TIDE: ChatCompletionFunctionTool = {
  type: "function",
  function: { name: "tide", parameters: { type: "object", properties: {} } },
}
const MESSAGES: ChatCompletionMessageParam[] = [{ role: "user", content: "Say hi, and when is high water?" }]

let target: Target
let client: OpenAI
before(async () => {
  target = await startTarget()
  client = new OpenAI({ baseURL: `${target.url}/v1`, apiKey: target.key, maxRetries: 0 })
})
after(() => target?.stop())

const asked = () => ({ model: target.model("tools=2"), messages: MESSAGES, tools: [RUN, TIDE] })

test(
  "OpenAI's SDK is given a custom call as its types have it: in pieces, by its helper and whole, all alike",
  LIMIT,
  async () => {
    const request = asked()
    const whole = await client.chat.completions.create(request)
    const calls = whole.choices[0]?.message.tool_calls ?? []
    const call = customIn(calls)
    assert.match(call.id, /^call_/)
    assert.equal(call.custom.name, "run")
    assert.match(call.custom.input, /\S+ \S+/)
    assert.deepEqual(
      calls.map(({ type }) => type),
      ["custom", "function"],
    )
    assert.equal(whole.choices[0]?.finish_reason, "tool_calls")

    let input = ""
    const first: object[] = []
    for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
      for (const piece of choices[0]?.delta.tool_calls ?? []) {
        if (piece.index !== 0) continue
        if (piece.id !== undefined) first.push({ id: piece.id, type: piece.type, name: piece.custom?.name })
        assert.equal(piece.function, undefined)
        input += piece.custom?.input ?? ""
      }
    }
    assert.deepEqual(first, [{ id: call.id, type: "custom", name: "run" }])
    assert.equal(input, call.custom.input)

    const helped = await client.chat.completions.stream(request).finalChatCompletion()
    assert.deepEqual(customIn(helped.choices[0]?.message.tool_calls ?? []), call)
  },
)

test("its call and what came of it go back in the next turn", LIMIT, async () => {
  const request = asked()
  const { choices } = await client.chat.completions.create(request)
  const { message } = choices[0]!
  const outcomes = (message.tool_calls ?? []).map(({ id }) => ({
    role: "tool" as const,
    tool_call_id: id,
    content: "done",
  }))
  const next = await client.chat.completions.create({
    ...request,
    model: target.model("tokens=2"),
    messages: [...MESSAGES, message, ...outcomes],
    tool_choice: { type: "custom", custom: { name: "run" } },
  })
  assert.equal(next.choices[0]?.finish_reason, "stop")
})

for (const door of DOORS.filter(({ dialect }) => dialect !== "openai")) {
  test(
    `${door.name}: a custom tool is a 400 that names it, for no SDK there could read its call`,
    LIMIT,
    async () => {
      const { status, text } = await rawCall(target, door.path, asked(), door.headers)
      assert.equal(status, 400, text)
      assert.match(text, /tools\[0\]\.type must be/)
    },
  )
}

test("a provider of another kind is not asked: the 400 says which kind can do it", LIMIT, async (t) => {
  if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
  for (const kind of ["openrouter", "r9s", "atoma", "orq"]) {
    const { status, text } = await rawCall(target, "/v1/chat/completions", {
      ...asked(),
      model: `raw-${kind}/any`,
    })
    assert.equal(status, 400, text)
    assert.match(text, /tools\[0\]/)
    assert.match(text, /kind openai/)
  }
})

function customIn(calls: readonly ChatCompletionMessageToolCall[]): ChatCompletionMessageCustomToolCall {
  const call = calls.find((each) => each.type === "custom")
  assert.ok(call?.type === "custom")
  return call
}
