import assert from "node:assert/strict"
import { test } from "node:test"
import { createSessions } from "./sessions.ts"

test("a session stays where it went for ten minutes of silence", () => {
  let now = 0
  const sessions = createSessions(() => now)
  sessions.went("s", "a/m")
  now += 599_000
  assert.equal(sessions.at("s"), "a/m")
  sessions.went("s", "b/m")
  now += 599_000
  assert.equal(sessions.at("s"), "b/m")
  now += 2_000
  assert.equal(sessions.at("s"), undefined)
  assert.equal(sessions.at("another"), undefined)
})

test("the sessions that have been silent longest make room", () => {
  const sessions = createSessions(() => 0)
  for (let name = 0; name < 10_001; name++) sessions.went(String(name), "a/m")
  assert.equal(sessions.at("0"), undefined)
  assert.equal(sessions.at("1"), "a/m")
})
