import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeComment, encodeEvent } from "./encode.ts"

test("fields stand in one order, each on a line with LF", () => {
  const text = encodeEvent({ data: "a", event: "error", retry: 1000, id: "1" })
  assert.equal(text, "id: 1\nretry: 1000\nevent: error\ndata: a\n\n")
})

test("data is split at every line end, and empty data is a line too", () => {
  assert.equal(encodeEvent({ data: "a\nb\r\nc\rd\n" }), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n")
  assert.equal(encodeEvent({ data: "" }), "data: \n\n")
  assert.equal(encodeEvent({ data: " a" }), "data:  a\n\n")
})

test("a name that every event has is left out; an empty id is not, as it forgets the last", () => {
  assert.equal(encodeEvent({ data: "a", event: "message" }), "data: a\n\n")
  assert.equal(encodeEvent({ data: "a", event: "" }), "data: a\n\n")
  assert.equal(encodeEvent({ data: "a", id: "" }), "id: \ndata: a\n\n")
  assert.equal(encodeEvent({ data: "a", retry: 0 }), "retry: 0\ndata: a\n\n")
})

test("what a field cannot carry is refused", () => {
  for (const value of ["a\nb", "a\r", "\0"]) {
    assert.throws(() => encodeEvent({ data: "", id: value }), RangeError)
    assert.throws(() => encodeEvent({ data: "", event: value }), RangeError)
  }
  for (const retry of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => encodeEvent({ data: "", retry }), RangeError)
  }
})

test("a comment of several lines stays one", () => {
  assert.equal(encodeComment("ping"), ": ping\n\n")
  assert.equal(encodeComment("a\ndata: b"), ": a\n: data: b\n\n")
  assert.equal(encodeComment(""), ": \n\n")
})
