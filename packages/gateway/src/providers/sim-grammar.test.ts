import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { pricedName, readSimModel, type SimScript, splitSimModel } from "./sim-grammar.ts"

const defaults: SimScript = {
  name: "story",
  tokens: 64,
  ttft: 0,
  gap: 0,
  seed: 1,
  reasoning: 0,
  tools: 0,
  usage: true,
}

describe("a model that the simulator understands", () => {
  const table: [model: string, expected: Partial<SimScript>][] = [
    ["sim/story", {}],
    ["story", {}],
    ["sim/story:tokens=3", { tokens: 3 }],
    ["story:tokens=0", { tokens: 0 }],
    ["story:ttft=90s", { ttft: 90_000 }],
    ["story:ttft=250ms", { ttft: 250 }],
    ["story:ttft=2m,gap=1.5s", { ttft: 120_000, gap: 1_500 }],
    ["story:gap=20", { gap: 20 }],
    ["story:seed=4294967295", { seed: 4_294_967_295 }],
    ["story:reasoning=5,tools=2", { reasoning: 5, tools: 2 }],
    ["story:usage=none", { usage: false }],
    ["story:usage=yes", {}],
    ["story:cut=0", { cut: 0 }],
    ["story:stall=7,error_at=9", { stall: 7, error_at: 9 }],
    ["story:error=429,retry_after=3", { error: 429, retry_after: 3 }],
    ["sim/a/b:tokens=1", { name: "a/b", tokens: 1 }],
    ["sim/story:nitro:tokens=1", { name: "story:nitro", tokens: 1 }],
  ]
  for (const [model, expected] of table) {
    test(model, () => {
      assert.deepEqual(readSimModel(model), { type: "script", script: { ...defaults, ...expected } })
    })
  }
})

describe("a model that it refuses, naming the key, what was expected and what it knows", () => {
  const table: [model: string, says: RegExp][] = [
    ["story:speed=3", /does not know the key 'speed'/],
    ["story:tokens=3,", /does not know the key ''/],
    ["story:", /does not know the key ''/],
    ["story:nitro", /does not know the key 'nitro'/],
    ["story:constructor=1", /does not know the key 'constructor'/],
    ["story:__proto__=1", /does not know the key '__proto__'/],
    ["story:tokens", /'tokens' takes an integer from 0 to 1000000, not ''/],
    ["story:tokens=-1", /'tokens' takes an integer from 0 to 1000000, not '-1'/],
    ["story:tokens=1e3", /'tokens' takes an integer/],
    ["story:tokens=1000001", /'tokens' takes an integer from 0 to 1000000/],
    ["story:tokens=99999999999999999999", /'tokens' takes an integer/],
    ["story:seed=4294967296", /'seed' takes an integer from 0 to 4294967295/],
    ["story:ttft=soon", /'ttft' takes a time such as 250, 250ms, 1.5s or 2m/],
    ["story:gap=25h", /'gap' takes a time/],
    ["story:gap=1441m", /'gap' takes a time .* of 86400000 ms at most/],
    ["story:tools=129", /'tools' takes an integer from 0 to 128/],
    ["story:usage=no", /'usage' takes yes or none, not 'no'/],
    ["story:usage=toString", /'usage' takes yes or none/],
    ["story:error=200", /'error' takes an integer from 400 to 599/],
    ["story:cut=x", /'cut' takes an integer/],
    ["story:stall=1.5", /'stall' takes an integer/],
    ["story:error_at=", /'error_at' takes an integer/],
    ["story:retry_after=5s", /'retry_after' takes an integer/],
    ["story:cut=1,cut=2", /'cut' is given twice/],
    [`story:${"x".repeat(500)}=1`, /the key 'x{64}…'/],
  ]
  for (const [model, says] of table) {
    test(model.slice(0, 40), () => {
      const result = readSimModel(model)
      assert.ok(result.type === "error")
      assert.match(result.error.message, says)
      assert.match(result.error.message, /It knows tokens, ttft, gap, .* retry_after\./)
      assert.deepEqual(
        { kind: result.error.kind, status: result.error.status, param: result.error.param },
        { kind: "invalid_request", status: 400, param: "model" },
      )
    })
  }

  test("a model without a name", () => {
    for (const model of ["", "sim/", "sim/:tokens=3"]) {
      const result = readSimModel(model)
      assert.ok(result.type === "error")
      assert.match(result.error.message, /has no name/)
    }
  })
})

test("what stands before the script can be had alone", () => {
  assert.deepEqual(splitSimModel("sim/story:tokens=3"), { name: "story", script: "tokens=3" })
  assert.deepEqual(splitSimModel("sim/story"), { name: "story", script: undefined })
})

test("a price is looked up by what stands before the simulator's script; elsewhere a colon is a part of the name", () => {
  assert.equal(pricedName("sim", "story:tokens=9,gap=5"), "story")
  assert.equal(pricedName("sim", "story"), "story")
  assert.equal(pricedName("local", "llama3:8b"), "llama3:8b")
})
