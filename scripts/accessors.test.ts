/**
 * No accessor in an object literal that is made for each call. V8 keeps a literal's accessor pair in its old space from
 * the start: a dead one holds all that its getter can see, which is the whole call, until the next full collection.
 * One such getter made the gateway collect ten times as much. A class's accessors stand on its prototype, once.
 */
import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { test } from "node:test"
import { root } from "./house.ts"

/** Made once for the process, or once for what has failed. */
const MADE_ONCE = new Set([
  "packages/gateway/src/routing/breaker.ts",
  "packages/gateway/src/streams/disk-format.ts",
  "packages/gateway/src/streams/disk.ts",
  "packages/gateway/src/streams/memory.ts",
  "packages/gateway/src/streams/streams.ts",
])

/** A class's members stand one step in, a literal's in a function two. */
function accessorsIn(text: string): string[] {
  return text.match(/^ {4,}(?:get|set) \w+\(.*$/gm) ?? []
}

test("an accessor of a literal is found, one of a class and a method that is called get are not", () => {
  assert.equal(accessorsIn("  return {\n    get over() {\n").length, 1)
  assert.equal(accessorsIn("      set limits(wanted) {\n").length, 1)
  assert.deepEqual(accessorsIn("class A {\n  get over(): boolean {\n"), [])
  assert.deepEqual(accessorsIn("    get(id) {\n    get: (id) => 1,\n"), [])
})

test("what is made for each call has no accessors in literals", () => {
  const files = globSync("packages/{gateway,protocol}/src/**/*.ts", { cwd: root })
  const withAccessors = files.filter((file) => {
    const isTest = /\.(test|suite)\.ts$/.test(file)
    return !isTest && accessorsIn(readFileSync(resolve(root, file), "utf8")).length > 0
  })
  assert.deepEqual(new Set(withAccessors), MADE_ONCE)
})
