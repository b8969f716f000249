import assert from "node:assert/strict"
import { test } from "node:test"
import { countAnswer, countTokens } from "./count.ts"
import { textsRelayed } from "./relayed.ts"

const event = (seq: number, delta: object, index = 0): string =>
  `id: ${seq}\n${seq === 1 ? "retry: 1000\n" : ""}data: ${JSON.stringify({ choices: [{ index, delta }] })}\n\n`

test("a stream's events say the texts that they add up to, choice by choice", () => {
  const events = [
    event(1, { role: "assistant", content: "" }),
    event(2, { reasoning: "Let me " }),
    event(3, { reasoning: "think." }),
    event(4, { content: "A b" }),
    event(5, { content: "ird" }),
    event(6, { content: "Another" }, 1),
    event(7, {
      tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "f", arguments: "{" } }],
    }),
    event(8, { tool_calls: [{ index: 0, function: { arguments: "}" } }] }),
    `id: 9\ndata: ${JSON.stringify({ error: { message: "It broke." }, choices: [] })}\n\n`,
  ].join("")
  const calls = JSON.stringify([{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }])
  assert.deepEqual(textsRelayed(events, true), ["A bird", "Let me think.", calls, "Another"])
})

test("an answer in one piece says its messages' texts, and one that never came says nothing", () => {
  const answer = {
    choices: [{ message: { content: "Yes.", refusal: null } }, { message: { content: null } }],
  }
  assert.deepEqual(textsRelayed(JSON.stringify(answer), false), ["Yes."])
  assert.deepEqual(textsRelayed("", false), [])
  assert.deepEqual(textsRelayed("", true), [])
  assert.deepEqual(textsRelayed("[]", false), [])
})

test("its tokens are counted where it is taken apart", async () => {
  const events = `${event(1, { content: "It is a qu" })}${event(2, { content: "iet evening." })}`
  assert.equal(await countAnswer(Buffer.from(events), true), await countTokens(["It is a quiet evening."]))
  await assert.rejects(countAnswer(Buffer.from("data: {"), true), /Tokens could not be counted/)
})
