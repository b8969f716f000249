/**
 * The n-th statement that a gateway sends to its database fails, for n = 1, 2, 3 … until none does: whatever was under
 * way then, each call has one settled row, or none and an error for an answer; nobody is told of an end that is not in
 * the books; nothing stays held.
 */
import assert from "node:assert/strict"
import { after, test } from "node:test"
import { testPostgres } from "../../../scripts/postgres.ts"
import { createFault } from "../src/store/fault.ts"
import { createKey, released, rowsOf } from "./books-support.ts"
import { call, startTestGateway, streamBody } from "./support.ts"

after(async () => (await testPostgres()).stop())

const PRICES = "prices: { sim/story: { input: 1, output: 10 } }\n"
/** Two calls need far fewer. */
const MOST = 400
/** To open a call and to settle it are two transactions at least: begun, read, written, committed. */
const FEWEST = 8

for (const database of ["sqlite", "postgres"] as const) {
  for (const when of ["before", "after"] as const) {
    test(`${database}: a statement that fails, ${when} it was done, loses no row, doubles none and keeps no hold`, async (t) => {
      const fault = createFault()
      const url = database === "postgres" ? await (await testPostgres()).createDatabase() : ""
      const gateway = await startTestGateway(PRICES, { DATABASE_URL: url }, { fault })
      const chat = `${gateway.url}/v1/chat/completions`
      try {
        const { id, secret } = await createKey(gateway, { budget: { amount_usd: "10", period: "total" } })
        const known = new Set<string>()
        let answered = 0
        let n = 1
        for (; ; n++) {
          assert.ok(n < MOST, "there is always one more statement that fails")
          fault.arm(n, when)
          const answers = await Promise.all(
            [true, false].map(async (stream) => {
              const answer = await call(chat, {
                key: secret,
                body: streamBody(`sim/story:tokens=${n}`, { stream }),
              })
              return {
                status: answer.status,
                id: answer.headers["sluice-stream-id"],
                ...(await answer.whole()),
              }
            }),
          )
          const failed = fault.failed()
          fault.arm(0)
          const spend = await released(gateway, id)
          assert.equal(spend.running, 0)
          // Two calls a round: the newest rows are theirs.
          const fresh = (await rowsOf(gateway)).filter((row) => !known.has(row.id))
          for (const row of fresh) known.add(row.id)
          for (const answer of answers) {
            const rows = fresh.filter((row) => row.id === answer.id)
            assert.ok(rows.length <= 1, `n = ${n}: ${rows.length} rows`)
            const isWhole = answer.status === 200 && /\[DONE\]|"object":"chat\.completion"/.test(answer.text)
            if (isWhole) {
              answered += 1
              assert.equal(rows[0]?.ending, "finished", `n = ${n}`)
              assert.equal(rows[0]?.usage.completion_tokens, n)
            } else {
              assert.match(answer.text, /"error":/, `n = ${n}`)
              if (rows.length === 0) assert.equal(answer.status, 503, `n = ${n}: ${answer.text}`)
              else assert.ok(rows[0]?.ending !== null && rows[0]?.ending !== "finished", `n = ${n}`)
            }
          }
          assert.ok(
            fresh.every((row) => answers.some((answer) => answer.id === row.id)),
            `n = ${n}`,
          )
          if (failed === 0) {
            t.diagnostic(`${n - 1} statements failed, one after the other`)
            break
          }
        }
        assert.ok(n > FEWEST, `all had been done after ${n - 1} statements`)
        assert.ok(answered > 2, "the store tries again, so most calls never notice")
      } finally {
        fault.arm(0)
        await gateway.close()
      }
    })
  }
}

test("a database that is away for longer than anybody waits: 503 with Retry-After, no row, no hold, and then it goes on", async () => {
  const fault = createFault()
  const gateway = await startTestGateway(PRICES, {}, { fault })
  try {
    const { id, secret } = await createKey(gateway, { budget: { amount_usd: "10", period: "total" } })
    fault.arm(1, "before", 1_000_000)
    const chat = `${gateway.url}/v1/chat/completions`
    for (const stream of [true, false]) {
      const refused = await call(chat, { key: secret, body: streamBody("sim/story:tokens=3", { stream }) })
      assert.equal(refused.status, 503)
      assert.equal(refused.headers["retry-after"], "1")
      assert.match((await refused.whole()).text, /database cannot be reached/)
    }
    fault.arm(0)
    await released(gateway, id)
    assert.deepEqual(await rowsOf(gateway), [])
    const answer = await call(chat, { key: secret, body: streamBody("sim/story:tokens=3") })
    assert.ok((await answer.whole()).text.endsWith("data: [DONE]\n\n"))
    assert.equal((await rowsOf(gateway)).length, 1)
  } finally {
    await gateway.close()
  }
})

test("while its row cannot be settled a stream shows all but its end, and then its end", async () => {
  const fault = createFault()
  const gateway = await startTestGateway(PRICES, {}, { fault })
  try {
    const { id, secret } = await createKey(gateway)
    const answer = await call(`${gateway.url}/v1/chat/completions`, {
      key: secret,
      body: streamBody("sim/story:tokens=5,gap=20"),
    })
    fault.arm(1, "before", 1_000_000)
    const frames = await answer.frames(7)
    assert.match(frames.at(-1)!, /"finish_reason":"stop"/)
    // It has been tried, and more than once.
    while (fault.failed() < 3) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(answer.response.complete, false)
    fault.arm(0)
    assert.ok((await answer.whole()).text.endsWith("data: [DONE]\n\n"))
    assert.equal((await rowsOf(gateway))[0]?.ending, "finished")
    await released(gateway, id)
  } finally {
    fault.arm(0)
    await gateway.close()
  }
})

test("an extension of a hold that the database does not answer is asked for again, and the answer goes on meanwhile", async () => {
  const fault = createFault()
  const gateway = await startTestGateway(PRICES, {}, { fault })
  try {
    const { id, secret } = await createKey(gateway, { budget: { amount_usd: "10", period: "total" } })
    const answer = await call(`${gateway.url}/v1/chat/completions`, {
      key: secret,
      body: streamBody("sim/story:tokens=20000"),
    })
    fault.arm(1, "before", 1_000_000)
    // By characters these are more than the 4,096 that are held: the provider has waited, and goes on.
    await answer.frames(3_000)
    assert.ok(fault.failed() > 0)
    fault.arm(0)
    const { text } = await answer.whole()
    assert.ok(text.endsWith("data: [DONE]\n\n"), text.slice(-300))
    await released(gateway, id)
    assert.equal((await rowsOf(gateway))[0]?.usage.completion_tokens, 20_000)
  } finally {
    fault.arm(0)
    await gateway.close()
  }
})
