/**
 * What nine SDK builds were measured to accept and to throw at, said to the gateway by a provider: whatever comes in,
 * what goes out is on the accepted side for every build that may come to that door.
 */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { CHUNK_ROWS, COMPLETION_ROWS, ERROR_ROWS } from "../../packages/protocol/test/acceptance.ts"
import {
  BUILDS,
  type BuildName,
  type Validator,
  validators,
} from "../../packages/protocol/test/validators.ts"
import { DOORS, type Door } from "../doors.ts"
import { eventsOf, type RawAnswer, rawCall } from "../raw-call.ts"
import { chunk, DONE, frame } from "../raw-provider.ts"
import { NOTHING_BEHIND, startTarget, type Target } from "../support.ts"

const AT_ONCE = 16

let target: Target
before(async () => {
  target = await startTarget()
  const raw = target.behind?.raw
  for (const [at, { value }] of CHUNK_ROWS.entries()) {
    raw?.answers(`chunk-${at}`, [
      frame(value as object),
      chunk({ content: " there" }),
      chunk({}, "stop"),
      DONE,
    ])
  }
  for (const [at, { value }] of COMPLETION_ROWS.entries()) {
    raw?.answers(`completion-${at}`, { body: value as object })
  }
  for (const [at, { value, status }] of ERROR_ROWS.entries()) {
    raw?.answers(`error-${at}`, { status, body: value as object | undefined })
  }
})
after(() => target?.stop())

test("every build has a door, and every row a build that throws at it", () => {
  assert.deepEqual(new Set(DOORS.flatMap(({ builds }) => builds)), new Set(BUILDS))
  for (const rows of [CHUNK_ROWS, COMPLETION_ROWS, ERROR_ROWS]) {
    assert.ok(rows.some(({ taken }) => taken.includes("-")))
  }
})

for (const door of DOORS) {
  test(`${door.name}: each measured chunk comes out as one that is accepted, or as a failure`, async (t) => {
    if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
    const faults = await faultsOf(CHUNK_ROWS, door, "chunk", true, (answer) => {
      if (answer.status !== 200) return errorFaults(door, answer)
      return eventsOf(answer).flatMap((event) => faultsAt(door, (validator) => validator.chunk(event)))
    })
    assert.deepEqual(faults, [])
  })

  test(`${door.name}: each measured completion comes out as one that is accepted, or as an error`, async (t) => {
    if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
    const faults = await faultsOf(COMPLETION_ROWS, door, "completion", false, (answer) => {
      if (answer.status !== 200) return errorFaults(door, answer)
      const completion: unknown = JSON.parse(answer.text)
      return faultsAt(door, (validator) => validator.completion(completion))
    })
    assert.deepEqual(faults, [])
  })

  test(`${door.name}: each measured error body comes out as one that says what happened`, async (t) => {
    if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
    const faults = await faultsOf(ERROR_ROWS, door, "error", true, (answer) =>
      answer.status < 400 ? [`answered ${answer.status}`] : errorFaults(door, answer),
    )
    assert.deepEqual(faults, [])
  })
}

/** What is wrong with the answers to these rows, a line each. */
async function faultsOf(
  rows: readonly { readonly scenario: string }[],
  door: Door,
  prefix: string,
  stream: boolean,
  judge: (answer: RawAnswer) => readonly string[],
): Promise<string[]> {
  const faults: string[] = []
  const left = [...rows.entries()]
  async function work(): Promise<void> {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const [at, { scenario }] = next
      const body = {
        model: `raw/${prefix}-${at}`,
        messages: [{ role: "user", content: "Hello" }],
        stream,
        ...(stream && { stream_options: { include_usage: true } }),
      }
      const answer = await rawCall(target, door.path, body, door.headers)
      faults.push(...judge(answer).map((fault) => `${scenario}: ${fault}`))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return faults
}

function errorFaults(door: Door, { status, headers, text }: RawAnswer): string[] {
  if (headers["content-type"] !== "application/json") return [`an error as ${headers["content-type"]}`]
  const body: unknown = JSON.parse(text)
  return faultsAt(door, (validator) => validator.errorBody(status, body))
}

function faultsAt(door: Door, judge: (validator: Validator) => string | null): string[] {
  return door.builds.flatMap((build: BuildName) => {
    const fault = judge(validators[build])
    return fault === null ? [] : [`${build} throws: ${fault}`]
  })
}
