import assert from "node:assert/strict"
import { test } from "node:test"
import { createFault } from "./fault.ts"

test("the statement whose turn it is fails before it is done", () => {
  const fault = createFault()
  fault.arm(2)
  fault.begin()()
  assert.throws(() => fault.begin(), /statement 2 /)
  fault.begin()()
  assert.equal(fault.failed(), 1)
})

test("or after it, though others have begun or ended meanwhile", () => {
  const fault = createFault()
  fault.arm(1, "after")
  const [first, second] = [fault.begin(), fault.begin()]
  second()
  assert.throws(first, /statement 1 /)
  assert.equal(fault.failed(), 1)
})
