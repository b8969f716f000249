import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { encode } from "gpt-tokenizer/encoding/o200k_base"
import { createMerger, PIECES } from "./byte-pairs.ts"
import { NONE, readVocabulary } from "./vocabulary.ts"

const vocabulary = readVocabulary()
const merge = createMerger(vocabulary)

function ranksOf(text: string): number[] {
  const ranks: number[] = []
  for (const [piece] of text.matchAll(PIECES)) {
    const { count, starts, bytes } = merge(piece)
    for (let part = 0; part < count; part++)
      ranks.push(vocabulary.rankOf(bytes, starts[part]!, starts[part + 1]!))
  }
  return ranks
}

test("every token is found under its rank, and what is none is not", () => {
  assert.equal(vocabulary.size, 199_998)
  for (let rank = 0; rank < vocabulary.size; rank++) {
    const token = vocabulary.token(rank)
    assert.equal(vocabulary.rankOf(token, 0, token.length), rank)
  }
  const none = Buffer.from("qzxqzxqzx")
  assert.equal(vocabulary.rankOf(none, 0, none.length), NONE)
  assert.equal(vocabulary.rankOf(new Uint8Array(500), 0, 500), NONE)
})

test("any text has the tokens that another tokenizer gives it", () => {
  // Where the two differ, below, the other is wrong.
  const letters = [..."aAbsStTrReEvVmMdDlL'  \t\n\r/.,!?-_09٣½Ⅷ今天الس́👩‍🏳️ßÄžΣςǅʰ"]
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom(...letters), maxLength: 60 }),
    fc.string({ maxLength: 200 }),
    fc
      .array(fc.constantFrom("hello", " world", "the", "ing", "Sluice", "'ll", "2026", "\n\n", "  "))
      .map((words) => words.join("")),
  )
  const settings = { disallowedSpecial: new Set<string>() }
  fc.assert(
    fc.property(text, (text) => assert.deepEqual(ranksOf(text), encode(text, settings))),
    { numRuns: 2_000 },
  )
})

test("what Unicode calls white space and a long s are taken as the encoding takes them", () => {
  // What the encoding's own program gives (tiktoken 1.0.22).
  const counts = {
    "a\u0085b": 4,
    "a \ufeff b": 3,
    "it'ſ": 3,
    "DON'T": 2,
    "  \u2003x": 3,
    "\ufeffusing System;": 3,
    "x\u0085\n y": 5,
  }
  for (const [text, tokens] of Object.entries(counts))
    assert.equal(ranksOf(text).length, tokens, JSON.stringify(text))
})
