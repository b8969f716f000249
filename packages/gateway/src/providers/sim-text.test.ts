import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { countTokens } from "gpt-tokenizer/encoding/o200k_base"
import { continueStory, STORY_WORDS, storyTokens } from "./sim-text.ts"

function take(tokens: Iterator<string>, count: number): string[] {
  return Array.from({ length: count }, () => String(tokens.next().value))
}

describe("the simulator's story", () => {
  test("has a few hundred words, each one token with its space, in lower-case letters", () => {
    assert.ok(STORY_WORDS.length >= 256 && STORY_WORDS.length <= 512, `${STORY_WORDS.length} words`)
    for (const word of STORY_WORDS) {
      assert.match(word, /^[a-z]+$/)
      assert.equal(countTokens(` ${word}`), 1, word)
    }
  })

  test("counts, at every prefix, as many tokens as it has words", () => {
    const tokens = take(storyTokens("story", 1), 500)
    let text = ""
    for (const [at, token] of tokens.entries()) {
      assert.match(token, /^ [a-z]+$/)
      text += token
      assert.equal(countTokens(text), at + 1)
    }
  })

  test("holds no word outside its list", () => {
    const known = new Set(STORY_WORDS.map((word) => ` ${word}`))
    for (let seed = 0; seed < 20; seed++) {
      for (const token of take(storyTokens("any", seed), 500)) assert.ok(known.has(token), token)
    }
  })

  test("depends on name and seed alone", () => {
    const told = (name: string, seed: number) => take(storyTokens(name, seed), 64).join("")
    assert.equal(told("story", 1), told("story", 1))
    assert.notEqual(told("story", 1), told("story", 2))
    assert.notEqual(told("story", 1), told("tale", 1))
  })
})

describe("continueStory", () => {
  const whole = take(storyTokens("story", 7), 64)

  test("goes on after every token of its own text", () => {
    for (let said = 0; said <= whole.length; said++) {
      const continuation = continueStory("story", 7, whole.slice(0, said).join(""))
      assert.equal(continuation.said, said)
      assert.deepEqual(take(continuation.rest, whole.length - said), whole.slice(said))
    }
  })

  test("goes on after every character, the rest of a broken word first", () => {
    const text = whole.join("")
    for (let length = 0; length <= text.length; length++) {
      const { said, rest } = continueStory("story", 7, text.slice(0, length))
      assert.equal(text.slice(0, length) + take(rest, whole.length - said).join(""), text)
    }
  })

  test("begins anew after what it has not said", () => {
    for (const other of [
      "Once",
      " once upon a mountain",
      `${whole.join("")}!`,
      take(storyTokens("story", 8), 30).join(""),
    ]) {
      const { said, rest } = continueStory("story", 7, other)
      assert.equal(said, 0)
      assert.deepEqual(take(rest, 64), whole)
    }
  })
})
