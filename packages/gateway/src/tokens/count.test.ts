import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, test } from "node:test"
import { countTokens as referenceCount } from "gpt-tokenizer/encoding/o200k_base"
import { countTokens, letGo, splitTokens } from "./count.ts"

const AS_TEXT = { disallowedSpecial: new Set<string>() }
const reference = (text: string) => referenceCount(text, AS_TEXT)

describe("countTokens", () => {
  const texts = {
    empty: "",
    "one word": "hello",
    prose: "It's a quiet evening; the fox isn't far.\n\nTwo  spaces,   three.\t Tabs\r\n and ends ",
    "trailing whitespace before digits": "a   1 b    22  333 4444 \n 5",
    code: 'function f(a, b) {\n    return { "a": a, b: [1, 22, 333, 4444] } // ok\n}\n',
    chinese: "今天天气很好，我们去公园散步吧。".repeat(200),
    arabic: "السلام عليكم ورحمة الله وبركاته".repeat(20),
    emoji: "👩‍👩‍👧‍👦🏳️‍🌈 ok 🤷🏽‍♀️".repeat(30),
    "a lone surrogate": "a\ud800b",
    "what looks special": "<|endoftext|> and <|im_start|>user",
    base64: Buffer.from(Array.from({ length: 6_000 }, (_, at) => (at * 7919) % 256)).toString("base64"),
    "a long run of spaces": `${" ".repeat(3_000)}x`,
    "a run below the longest": "a".repeat(4_000),
    "many words": " hello world".repeat(20_000),
  }
  for (const [name, text] of Object.entries(texts)) {
    test(`agrees with the tokenizer on ${name}`, async () => {
      assert.equal(await countTokens([text]), reference(text))
    })
  }

  test("is the sum over the texts, each counted alone", async () => {
    assert.equal(await countTokens(["hel", "lo"]), reference("hel") + reference("lo"))
    assert.equal(await countTokens([]), 0)
  })

  test("tells lists apart that would run together", async () => {
    assert.equal(await countTokens(["hello", ""]), 1)
    assert.equal(await countTokens(["h", "ello"]), reference("h") + reference("ello"))
    assert.equal(await countTokens(["hello", ""]), 1)
  })

  test("starts another thread when the one before was let go, and lets none go that is waited for", async () => {
    const waited = countTokens(["counted before it is let go"])
    await letGo()
    assert.equal(await waited, reference("counted before it is let go"))
    await letGo()
    assert.equal(await countTokens(["counted by another"]), reference("counted by another"))
  })

  test("estimates at four bytes a token what the deadline leaves", async () => {
    assert.equal(await countTokens(["twelve bytes", "13 bytes long"], 0), 3 + 4)
  })

  test("does not let a huge prompt hold up a small one, nor the event loop", async () => {
    // Runs that differ, so that none is known from another.
    const huge = Array.from({ length: 100 }, (_, at) => "aàbc"[at % 4]?.repeat(4_000) + "z".repeat(at)).join(
      " ",
    )
    const order: string[] = []
    let turns = 0
    const ticking = setInterval(() => turns++, 1)
    await Promise.all([
      countTokens([huge]).then(() => order.push("huge")),
      countTokens(["small, and asked second"]).then(() => order.push("small")),
    ])
    clearInterval(ticking)
    assert.deepEqual(order, ["small", "huge"])
    assert.ok(turns > 10, `the loop turned ${turns} times while counting`)
  })

  test("one run without an end keeps neither the deadline nor others waiting", async () => {
    const order: string[] = []
    const endless = "今".repeat(2_000_000)
    await Promise.all([
      countTokens([endless], 500).then((tokens) => order.push(tokens > 0 ? "endless" : "nothing")),
      countTokens(["small, and asked after it"]).then(() => order.push("small")),
    ])
    assert.deepEqual(order, ["small", "endless"])
  })

  test("counts 400,000 letters without an end", async () => {
    assert.equal(await countTokens(["a".repeat(400_000)]), 50_000)
  })
})

describe("splitTokens", () => {
  test("gives the tokens in order, and they join to the text", async () => {
    const text = '{"city":"Reykjavik","days":[1,2,3],"<|endoftext|>":null}'
    const pieces = await splitTokens(text)
    assert.equal(pieces.join(""), text)
    assert.equal(pieces.length, reference(text))
  })
})

test("what counts lets everybody else go first", { skip: process.platform !== "linux" }, async () => {
  await letGo()
  const before = niceness()
  await countTokens(["nobody has asked for this before"])
  const stepped = (all: readonly number[]): number => all.filter((nice) => nice > 0).length
  assert.equal(stepped(niceness()), stepped(before) + 1)
})

/** Of this process's threads. What stands before the name's bracket is no number. */
function niceness(): number[] {
  return readdirSync("/proc/self/task").map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16])
  })
}
