import assert from "node:assert/strict"
import { test } from "node:test"
import { lockFaults } from "./lock.ts"

test("a lock that holds what everyone names has no fault, wherever it lies", () => {
  const packages = {
    "": { dependencies: { one: "1" } },
    "node_modules/one": { dependencies: { two: "2" }, optionalDependencies: { three: "3" } },
    "node_modules/one/node_modules/two": { dependencies: { three: "3" } },
    "node_modules/three": {},
  }
  assert.deepEqual(lockFaults({ packages }), [])
})

test("another platform's package that is not there is named", () => {
  const packages = {
    "": { dependencies: { one: "1" } },
    "node_modules/one": { optionalDependencies: { "@one/darwin": "1" } },
  }
  assert.deepEqual(lockFaults({ packages }), [
    "package-lock.json does not hold @one/darwin, which node_modules/one names: npm ci would refuse",
  ])
})
