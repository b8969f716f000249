import assert from "node:assert/strict"
import { test } from "node:test"
import { CHUNK_ROWS, COMPLETION_ROWS, ERROR_ROWS } from "./acceptance.ts"
import { BUILDS, validators } from "./validators.ts"

for (const row of CHUNK_ROWS) {
  test(`each build's validator judges the chunk "${row.scenario}" as the build did`, () => {
    assert.equal(
      judged((build) => validators[build].chunk(row.value)),
      row.taken,
    )
  })
}

for (const row of COMPLETION_ROWS) {
  test(`each build's validator judges the completion "${row.scenario}" as the build did`, () => {
    assert.equal(
      judged((build) => validators[build].completion(row.value)),
      row.taken,
    )
  })
}

for (const row of ERROR_ROWS) {
  test(`each build's validator judges the error body "${row.scenario}" as the build did`, () => {
    assert.equal(
      judged((build) => validators[build].errorBody(row.status, row.value)),
      row.taken,
    )
  })
}

function judged(fault: (build: (typeof BUILDS)[number]) => string | null): string {
  return BUILDS.map((build) => (fault(build) === null ? "+" : "-")).join("")
}
