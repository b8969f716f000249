import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { AdminProject } from "@sluice/protocol"
import { admin, createKey, released, rowsOf, spendOf } from "./books-support.ts"
import { call, dataOf, eventFrames, startTestGateway, streamBody, type TestGateway } from "./support.ts"

/** USD per million tokens; the prompt is nearly free. */
const PRICES = "prices: { sim/story: { input: 0.01, output: 10 } }\n"
const CENT = { amount_usd: "0.01", period: "total" } as const
/** Less than one call's worth. */
const NOTHING = { amount_usd: "0.000001", period: "daily" } as const
const MOUNTS = {
  "/v1": "openai",
  "/r9s/v1": "r9s",
  "/openrouter/api/v1": "openrouter",
  "/atoma/v1": "atoma",
  "/orq/v2/router": "orq",
  "/orq/v2/proxy": "orq",
}

let gateway: TestGateway
before(async () => {
  gateway = await startTestGateway(PRICES)
})
after(() => gateway.close())

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly error: { code: unknown; type?: string; message: string } | undefined
}

async function ask(key: string, body: unknown, mount = "/v1", url = gateway.url): Promise<Answered> {
  const answer = await call(`${url}${mount}/chat/completions`, { key, body })
  const { text } = await answer.whole()
  const error = answer.status === 200 ? undefined : JSON.parse(text).error
  return { status: answer.status, headers: answer.headers, text, error }
}

const story = (script: string, more: object = {}) =>
  streamBody(`sim/story:${script}`, { max_tokens: 10, ...more })

for (const [mount, dialect] of Object.entries(MOUNTS)) {
  test(`${mount}: a spent budget is a 402 and a reached limit a 429, each in the form of ${dialect}`, async () => {
    const poor = await createKey(gateway, { budget: NOTHING })
    for (const stream of [true, false]) {
      const refused = await ask(poor.secret, story("tokens=3", { stream }), mount)
      assert.equal(refused.status, 402)
      assert.match(refused.error?.message ?? "", /budget of 0\.000001 USD .* begins anew at \d{4}-/)
      assertForm(refused, mount, 402)
    }
    assert.equal((await spendOf(gateway, poor.id)).running, 0)

    const slow = await createKey(gateway, { limits: { requests_per_minute: 1 } })
    const first = await ask(slow.secret, story("tokens=3"), mount)
    assert.equal(first.status, 200)
    assert.equal(first.headers["x-ratelimit-limit-requests"], "1")
    assert.equal(first.headers["x-ratelimit-remaining-requests"], "0")
    const second = await ask(slow.secret, story("tokens=3"), mount)
    assert.equal(second.status, 429)
    assertForm(second, mount, 429)
    const seconds = Number(second.headers["retry-after"])
    assert.ok(seconds >= 1 && seconds <= 120, `Retry-After: ${seconds}`)
    assert.equal(second.headers["x-ratelimit-limit-requests"], "1")
    assert.equal(second.headers["x-ratelimit-remaining-requests"], "0")
    assert.match(String(second.headers["x-ratelimit-reset-requests"]), /^\d+s$/)
  })
}

function assertForm({ error }: Answered, mount: string, status: number): void {
  assert.equal(typeof error?.message, "string")
  if (mount === "/v1") {
    assert.ok(error?.code === null || typeof error?.code === "string")
    assert.equal(typeof error?.type, "string")
  } else assert.equal(error?.code, status)
}

test("a refused call asks no provider, leaves no row and frees its idempotency key", async () => {
  const before = (await rowsOf(gateway)).length
  const { id, secret } = await createKey(gateway, { budget: NOTHING })
  const headers = { "idempotency-key": "refused" }
  const url = `${gateway.url}/v1/chat/completions`
  const refused = await call(url, { key: secret, headers, body: story("tokens=3") })
  assert.equal(refused.status, 402)
  assert.equal(refused.headers["sluice-attempts"], "0")
  await refused.whole()
  assert.equal((await rowsOf(gateway)).length, before)
  await patch(id, { budget: CENT })
  const accepted = await call(url, { key: secret, headers, body: story("tokens=3") })
  assert.equal(accepted.status, 200)
  assert.equal(accepted.headers["sluice-replayed"], undefined)
  await accepted.whole()
})

async function patch(id: string, body: unknown): Promise<void> {
  const answer = await call(`${gateway.url}/admin/keys/${id}`, {
    method: "PATCH",
    key: "sk-test-of-admin",
    body,
  })
  assert.equal(answer.status, 200, (await answer.whole()).text)
}

test("a model without a price is refused under a budget, of the key or of its project, and costs null without one", async () => {
  const { secret: free } = await createKey(gateway)
  const { secret: budgeted } = await createKey(gateway, { budget: CENT })
  const project = await admin<AdminProject>(gateway, "/projects", { name: "p", budget: CENT })
  const { secret: inProject } = await createKey(gateway, { project: project.id })
  const body = streamBody("sim/unpriced:tokens=3")
  for (const secret of [budgeted, inProject]) {
    const refused = await ask(secret, body)
    assert.equal(refused.status, 402)
    assert.equal(refused.error?.code, "unpriced_model")
    assert.match(refused.error?.message ?? "", /prices:|unpriced: allow/)
  }
  assert.equal((await ask(free, body)).status, 200)
  const [row] = await rowsOf(gateway)
  assert.equal(row?.ending, "finished")
  assert.equal(row?.cost_nano, null)
  assert.equal(row?.usage.completion_tokens, 3)
})

test("with `unpriced: allow` a budget lets a model without a price through", async () => {
  const lenient = await startTestGateway("unpriced: allow\n")
  try {
    const { id, secret } = await createKey(lenient, { budget: NOTHING })
    assert.equal((await ask(secret, streamBody("sim/story:tokens=3"), "/v1", lenient.url)).status, 200)
    assert.equal(Number((await released(lenient, id)).total_usd), 0)
  } finally {
    await lenient.close()
  }
})

test("a project's budget and a key's must both allow a call", async () => {
  const rich = await admin<AdminProject>(gateway, "/projects", { name: "rich", budget: CENT })
  const poor = await admin<AdminProject>(gateway, "/projects", { name: "poor", budget: NOTHING })
  const keys = {
    both: await createKey(gateway, { project: rich.id, budget: CENT }),
    poorKey: await createKey(gateway, { project: rich.id, budget: NOTHING }),
    poorProject: await createKey(gateway, { project: poor.id, budget: CENT }),
  }
  assert.equal((await ask(keys.both.secret, story("tokens=3"))).status, 200)
  const byKey = await ask(keys.poorKey.secret, story("tokens=3"))
  assert.equal(byKey.status, 402)
  assert.match(byKey.error?.message ?? "", /^The key's budget/)
  const byProject = await ask(keys.poorProject.secret, story("tokens=3"))
  assert.equal(byProject.status, 402)
  assert.match(byProject.error?.message ?? "", /^The project's budget/)
  const spend = await released(gateway, keys.both.id)
  const project = await admin<AdminProject>(gateway, `/projects/${rich.id}`)
  assert.ok(Number(spend.total_usd) > 0)
  assert.equal(project.spend.total_usd, spend.total_usd)
  assert.equal(Number(project.spend.held_usd), 0)
})

test("a budget is used to its last call: nothing is refused before, and the next one is", async () => {
  // A call costs 10 tokens of output, and the prompt less than one.
  const { id, secret } = await createKey(gateway, { budget: { amount_usd: "0.00201", period: "total" } })
  for (let number = 1; number <= 20; number++)
    assert.equal((await ask(secret, story("tokens=10"))).status, 200, `call ${number}`)
  assert.equal((await ask(secret, story("tokens=10"))).status, 402)
  const spend = await released(gateway, id)
  assert.ok(Number(spend.total_usd) > 0.002 && Number(spend.total_usd) <= 0.00201, spend.total_usd)
})

test("an answer without a cap extends its hold while it can be paid", async () => {
  const { id, secret } = await createKey(gateway, { budget: { amount_usd: "1", period: "total" } })
  const { text } = await ask(secret, streamBody("sim/story:tokens=9000"))
  assert.ok(text.endsWith("data: [DONE]\n\n"))
  const [row] = await rowsOf(gateway)
  assert.equal(row?.usage.completion_tokens, 9_000)
  assert.ok(Number(row?.held_usd) * 1e5 >= 9_000, `${row?.held_usd} were held at the end`)
  assert.equal(Number((await released(gateway, id)).total_usd), Number(row?.cost_usd))
})

test("an answer that fits into what is held for it is never cut off, though no more could be held", async () => {
  const { id, secret } = await createKey(gateway, { budget: { amount_usd: "0.0415", period: "total" } })
  const { text } = await ask(secret, streamBody("sim/story:tokens=3900"))
  assert.ok(text.endsWith("data: [DONE]\n\n"), text.slice(-300))
  assert.ok(Number((await released(gateway, id)).total_usd) >= 0.039)
})

test("an answer that outgrows its budget ends failed, with `budget`, and is paid as far as it came", async () => {
  // The first hold of 4,096 tokens fits, a second one does not.
  const { id, secret } = await createKey(gateway, { budget: { amount_usd: "0.05", period: "total" } })
  const { status, text } = await ask(secret, streamBody("sim/story:tokens=20000"))
  assert.equal(status, 200)
  const last = dataOf(eventFrames(text).at(-1)!)
  assert.equal((last["error"] as { metadata: { error_type: string } }).metadata.error_type, "budget")
  assert.ok(!text.includes("[DONE]"))
  const spend = await released(gateway, id)
  const [row] = await rowsOf(gateway)
  assert.equal(row?.ending, "failed")
  assert.equal(row?.reason, "budget")
  assert.equal(row?.estimated, true)
  assert.equal(row?.usage.completion_tokens, eventFrames(text).length - 2, "all but the role and the error")
  assert.equal(spend.total_usd, row?.cost_usd)
  assert.ok(Number(spend.total_usd) > 0.02 && Number(spend.total_usd) <= 0.05, spend.total_usd)
})

test("a key's parallel calls and its tokens a minute are limited, and a slot is free again when its call is over", async () => {
  const two = await createKey(gateway, { limits: { parallel: 2 } })
  const url = `${gateway.url}/v1/chat/completions`
  const running = await Promise.all(
    [1, 2].map(() => call(url, { key: two.secret, body: streamBody("sim/story:tokens=5000,gap=20") })),
  )
  for (const answer of running) assert.equal(answer.status, 200)
  const third = await ask(two.secret, story("tokens=3"))
  assert.equal(third.status, 429)
  assert.match(third.error?.message ?? "", /2 calls at the same time/)
  for (const answer of running) answer.leave()
  await released(gateway, two.id)
  assert.equal((await ask(two.secret, story("tokens=3"))).status, 200)

  const few = await createKey(gateway, { limits: { tokens_per_minute: 60 } })
  const first = await ask(few.secret, story("tokens=40", { max_tokens: 40 }))
  assert.equal(first.status, 200)
  assert.equal(first.headers["x-ratelimit-limit-tokens"], "60")
  await released(gateway, few.id)
  const second = await ask(few.secret, story("tokens=40", { max_tokens: 40 }))
  assert.equal(second.status, 429)
  assert.ok(Number(second.headers["retry-after"]) >= 1)
  assert.equal(second.headers["x-ratelimit-limit-tokens"], "60")
})

test("a prompt that is slow to count under a budget does not hold up the gateway", async (t) => {
  const { secret } = await createKey(gateway, { budget: { amount_usd: "0.003", period: "total" } })
  let counting = true
  const body = {
    model: "sim/story:tokens=1",
    max_tokens: 1,
    messages: [{ role: "user", content: "a".repeat(400_000) }],
  }
  const asked = ask(secret, body).finally(() => {
    counting = false
  })
  let slowest = 0
  let times = 0
  while (counting) {
    const from = performance.now()
    await (await call(`${gateway.url}/healthz`)).whole()
    slowest = Math.max(slowest, performance.now() - from)
    times += 1
  }
  assert.equal((await asked).status, 200, "counted it is cheap enough; by its bytes it would not be")
  assert.ok(times > 3, `asked ${times} times meanwhile`)
  // On the loop it would take more than a minute.
  assert.ok(slowest < 2_000, `/healthz took ${slowest} ms`)
  t.diagnostic(`/healthz asked ${times} times, ${slowest.toFixed(1)} ms at most`)
})
