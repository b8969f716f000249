import assert from "node:assert/strict"
import { validateHeaderValue } from "node:http"
import { test } from "node:test"
import fc from "fast-check"
import { droppedHeader, headerText } from "./headers.ts"

test("names as our dialects write them stand as they are", () => {
  const names = [
    "reasoning",
    "tools[].function.strict",
    "tools[].openrouter:web_search",
    "messages[].content[].a-b_c",
  ]
  assert.equal(droppedHeader(names), names.join(", "))
})

test("a client's own names are written as in a URL, and cannot end the header or pass for two", () => {
  assert.equal(
    droppedHeader(["metadata.a\r\nset-cookie: b", "ü, 漢 🙂"]),
    "metadata.a%0D%0Aset-cookie:%20b, %C3%BC%2C%20%E6%BC%A2%20%F0%9F%99%82",
  )
  assert.equal(headerText("half \ud83d"), "half%20%EF%BF%BD")
})

test("of too long a name its beginning is told, and of too many how many more there are", () => {
  assert.equal(droppedHeader(["x".repeat(9_000), "y"]), `${"x".repeat(128)}..., y`)
  const many = Array.from({ length: 5_000 }, (_, index) => `metadata.label_${index}`)
  const header = droppedHeader(many)
  const [more = "", ...shown] = header.split(", ").toReversed()
  assert.ok(header.length <= 2_100, String(header.length))
  assert.deepEqual(shown.toReversed(), many.slice(0, shown.length))
  assert.equal(more, `+${5_000 - shown.length} more`)
})

test("whatever the names are, the header is short and may be sent", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 300 })), (names) => {
      const header = droppedHeader(names)
      assert.doesNotThrow(() => validateHeaderValue("sluice-dropped-params", header))
      assert.match(header, /^[ -~]*$/)
      assert.ok(header.length <= 2_100)
    }),
  )
})
