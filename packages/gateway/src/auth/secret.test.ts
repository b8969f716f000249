import assert from "node:assert/strict"
import test from "node:test"
import { newSecret, prefixOf } from "./secret.ts"

test("a secret has at least 128 random bits behind what is shown of it", () => {
  const secret = newSecret()
  assert.match(secret, /^sk-sluice-[0-9A-Za-z]+$/)
  const hidden = secret.length - prefixOf(secret).length
  assert.ok(hidden * Math.log2(62) >= 128, `${hidden} letters`)
  assert.ok(secret.startsWith(prefixOf(secret)))
})

test("no two secrets are alike, and every letter comes up about as often", () => {
  const secrets = Array.from({ length: 4_000 }, newSecret)
  assert.equal(new Set(secrets).size, secrets.length)
  const counts = new Map<string, number>()
  for (const letter of secrets.join("").replaceAll("sk-sluice-", "")) {
    counts.set(letter, (counts.get(letter) ?? 0) + 1)
  }
  const mean = (4_000 * 32) / 62
  assert.equal(counts.size, 62)
  // Eight standard deviations: what `byte % 62` without the rejection would exceed for eight letters (25 % more).
  for (const count of counts.values()) assert.ok(Math.abs(count - mean) < 8 * Math.sqrt(mean), `${count}`)
})
