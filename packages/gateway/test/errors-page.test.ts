/** docs/errors.md against a gateway: each kind of error that can be brought about comes as the page says. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, type TestContext, test } from "node:test"
import { ERROR_KINDS, type ErrorKind } from "@sluice/protocol"
import { createFault } from "../src/store/fault.ts"
import { admin, createKey, rowsOf, until } from "./books-support.ts"
import { jsonAnswer, type RawProvider, startRawProvider } from "./raw-provider.ts"
import { startSluice } from "./sluice-process.ts"
import {
  ADMIN_KEY,
  call,
  dataOf,
  eventFrames,
  KEY,
  type RawAnswer,
  type RawRequest,
  startTestGateway,
  streamBody,
  type TestGateway,
} from "./support.ts"

interface Row {
  readonly status: number
  readonly type: string
  readonly retryable: boolean
}

const PAGE = readRows(readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8"))

/** Both forms that an error before the stream has: OpenAI's, and that of all others. */
const MOUNTS = ["/v1", "/openrouter/api/v1"] as const
type Mount = (typeof MOUNTS)[number]

let provider: RawProvider
let gateway: TestGateway
before(async () => {
  // Its model's name says what it answers: a status, and OpenAI's code.
  provider = await startRawProvider((socket, number) => {
    const { model } = JSON.parse(provider.requests[number - 1]!.body) as { model: string }
    const [status = "", code] = model.split(" ")
    socket.end(jsonAnswer(Number(status), JSON.stringify({ error: { message: "It was told to.", code } })))
  })
  gateway = await startTestGateway(`
server: { body_limit: 100KB }
prices: { sim/story: { input: 0.01, output: 10 } }
providers:
  raw: { kind: openai-compatible, base_url: "${provider.baseUrl}", credential: none }
models:
  late: { candidates: [{ provider: sim, model: "story:ttft=60000" }], timers: { first_content: 50ms } }
`)
})
after(async () => {
  await gateway?.close()
  await provider?.close()
})

/** Brings the error about at a mount; the answer is the error. */
type Refusal = (mount: Mount) => Promise<RawAnswer>
/** Brings it about within a stream: gives the stream's whole text. */
type Failure = (t: TestContext) => Promise<string>

const ask = (mount: Mount, more: RawRequest = {}): Promise<RawAnswer> =>
  call(`${gateway.url}${mount}/chat/completions`, { body: streamBody("sim/story"), ...more })
const asModel =
  (model: string): Refusal =>
  (mount) =>
    ask(mount, { body: streamBody(model) })

const REFUSALS: Partial<Record<ErrorKind, Refusal>> = {
  invalid_request: (mount) => ask(mount, { body: { model: "sim/story", messages: 7 } }),
  context_length_exceeded: asModel("raw/400 context_length_exceeded"),
  content_policy_violation: asModel("raw/400 content_filter"),
  invalid_api_key: (mount) => ask(mount, { key: "sk-nobody" }),
  async payment_required(mount) {
    const { secret } = await createKey(gateway, { budget: { amount_usd: "0.000001", period: "daily" } })
    return ask(mount, { key: secret })
  },
  async unpriced_model(mount) {
    const { secret } = await createKey(gateway, { budget: { amount_usd: "1", period: "daily" } })
    return ask(mount, { key: secret, body: streamBody("raw/200") })
  },
  async permission_denied(mount) {
    const { secret } = await createKey(gateway, { models: ["fast"] })
    return ask(mount, { key: secret })
  },
  not_found: (mount) => call(`${gateway.url}${mount}/chat/completions/chatcmpl-nobody`),
  model_not_found: asModel("nobody/nothing"),
  method_not_allowed: (mount) => ask(mount, { method: "PUT" }),
  payload_too_large: (mount) => ask(mount, { body: streamBody("x".repeat(200_000)) }),
  unsupported_media_type: (mount) => ask(mount, { headers: { "content-type": "text/plain" } }),
  unprocessable: asModel("raw/422"),
  async idempotency_mismatch(mount) {
    const headers = { "idempotency-key": `once at ${mount}` }
    await (await ask(mount, { headers })).whole()
    return ask(mount, { headers, body: streamBody("sim/story:tokens=3") })
  },
  rate_limit_exceeded: asModel("raw/429"),
  not_implemented: (mount) => call(`${gateway.url}${mount}/embeddings`, { body: {} }),
  provider_error: asModel("raw/500"),
  provider_auth: asModel("raw/401 invalid_api_key"),
  provider_overloaded: asModel("raw/503"),
  timeout: asModel("late"),
  async conflict() {
    const project = await admin<{ id: string }>(gateway, "/projects", { name: "has a key" })
    await createKey(gateway, { project: project.id })
    return call(`${gateway.url}/admin/projects/${project.id}`, { method: "DELETE", key: ADMIN_KEY })
  },
}

/** Only `/admin` answers it, in OpenAI's form. */
const AT_ONE_MOUNT: readonly ErrorKind[] = ["conflict"]

const FAILURES: Partial<Record<ErrorKind, Failure>> = {
  async server(t) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-errors-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    // No file may grow past 4096 blocks, so the journal's write fails.
    const { url } = await startSluice(t, folder, "{}\n", "ulimit -f 4096;")
    const body = streamBody("sim/story:tokens=20000")
    return (await (await call(`${url}/v1/chat/completions`, { body })).whole()).text
  },
  async cancelled() {
    const answer = await ask("/v1", { body: streamBody("sim/story:tokens=5000,gap=20") })
    const id = answer.headers["sluice-stream-id"]
    await (await call(`${gateway.url}/v1/chat/completions/${id}/cancel`, { method: "POST" })).whole()
    return (await answer.whole()).text
  },
  async budget() {
    const { secret } = await createKey(gateway, { budget: { amount_usd: "0.05", period: "total" } })
    return (await (await ask("/v1", { key: secret, body: streamBody("sim/story:tokens=20000") })).whole())
      .text
  },
  async gateway_shutdown() {
    const stopping = await startTestGateway()
    const answer = await call(`${stopping.url}/v1/chat/completions`, {
      body: streamBody("sim/story:tokens=5000,gap=20"),
    })
    await answer.frames(2)
    assert.equal(await stopping.drain(0), 1)
    return (await answer.whole()).text
  },
  async interrupted(t) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-errors-"))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const first = await startSluice(t, folder)
    const body = streamBody("sim/story:tokens=5000,gap=20")
    const answer = await call(`${first.url}/v1/chat/completions`, { body })
    await answer.frames(2)
    await first.kill()
    const second = await startSluice(t, folder)
    const id = answer.headers["sluice-stream-id"]
    return (await (await call(`${second.url}/v1/chat/completions/${id}?stream=true`)).whole()).text
  },
}

/** Tested by themselves below, or never brought about. */
const APART: Partial<Record<ErrorKind, string>> = {
  events_dropped: "a test of its own",
  request_timeout: "Sluice never answers it; it is what clients read in a 408",
}

test("the page has a line for each kind, and each kind is brought about or says why not", (t) => {
  const kinds = Object.keys(ERROR_KINDS)
  assert.deepEqual([...PAGE.keys()], kinds)
  assert.deepEqual(Object.keys({ ...REFUSALS, ...FAILURES, ...APART }).sort(), kinds.toSorted())
  t.diagnostic(`not brought about: request_timeout, for ${APART.request_timeout}`)
})

for (const [kind, refuse] of Object.entries(REFUSALS)) {
  for (const mount of AT_ONE_MOUNT.includes(kind as ErrorKind) ? MOUNTS.slice(0, 1) : MOUNTS) {
    test(`${kind} at ${mount} is the page's`, async () => {
      const row = PAGE.get(kind)
      const answer = await refuse(mount)
      const { error } = JSON.parse((await answer.whole()).text)
      assert.deepEqual({ status: answer.status, type: error.type }, { status: row?.status, type: row?.type })
      if (mount === "/v1") return assert.equal(error.code, kind)
      assert.equal(error.code, row?.status)
      assert.equal(error.metadata.error_type, kind)
      assert.equal(error.metadata.retryable, row?.retryable)
    })
  }
}

for (const [kind, fail] of Object.entries(FAILURES)) {
  test(`${kind} within a stream is the page's`, async (t) => {
    const row = PAGE.get(kind)
    const text = await fail(t)
    const error = dataOf(eventFrames(text).at(-1) ?? "")["error"] as {
      code: number
      type: string
      metadata: { error_type: string; retryable: boolean }
    }
    const { code: status, type, metadata } = error
    assert.deepEqual(
      { kind: metadata.error_type, status, type, retryable: metadata.retryable },
      { kind, ...row },
    )
    assert.ok(!text.includes("[DONE]"))
  })
}

test("events_dropped is the page's, and its advice works", async () => {
  const small = await startTestGateway("streams: { max_bytes: 4KB }\n")
  try {
    const url = `${small.url}/v1/chat/completions`
    // A reader may fall behind what is kept; the stream goes on to its end.
    const headers = { "sluice-on-disconnect": "detach" }
    const answer = await call(url, { headers, body: streamBody("sim/story:tokens=300") })
    await answer.whole()
    await until(async () => (await rowsOf(small))[0]?.ending === "finished")
    const events = `${url}/${answer.headers["sluice-stream-id"]}?stream=true`
    const gone = await call(events, { headers: { "sluice-dialect": "openrouter" } })
    const { error } = JSON.parse((await gone.whole()).text)
    const { error_type: kind, retryable, oldest_event_id: oldest } = error.metadata
    const row = PAGE.get("events_dropped")
    assert.deepEqual(
      { kind, status: gone.status, type: error.type, retryable },
      { kind: "events_dropped", ...row },
    )
    const rest = await (await call(`${events}&starting_after=${oldest - 1}`)).whole()
    assert.match(rest.text, new RegExp(`^id: ${oldest}\\n`))
    assert.ok(rest.text.endsWith("data: [DONE]\n\n"))
  } finally {
    await small.close()
  }
})

test("a new call while the gateway shuts down, or without its database, is the 503 that the page has", async () => {
  const fault = createFault()
  const ill = await startTestGateway("", {}, { fault })
  const url = `${ill.url}/v1/chat/completions`
  fault.arm(1, "before", 1_000_000)
  // A key without limits goes on until the database has been away for a second.
  const refusal = async (): Promise<string | undefined> => {
    const answer = await call(url, { body: streamBody("sim/story:tokens=1") })
    const { text } = await answer.whole()
    return answer.status === 503 ? text : undefined
  }
  let refused = await refusal()
  while (refused === undefined) refused = await refusal()
  assert.equal(JSON.parse(refused).error.code, "server")
  fault.arm(0)

  const running = await call(url, { body: streamBody("sim/story:tokens=5000,gap=20"), key: KEY })
  await running.frames(2)
  const drained = ill.drain(60_000)
  const late = await call(url, { body: streamBody("sim/story") })
  assert.equal(late.status, PAGE.get("gateway_shutdown")?.status)
  assert.equal(late.headers["retry-after"], "1")
  await late.whole()
  running.leave()
  await drained
})

function readRows(page: string): Map<string, Row> {
  const rows = page.matchAll(/^\| `(\w+)` \| (\d{3}) \| `(\w+)` \| (yes|no) \| .+ \| .+ \|$/gm)
  return new Map(
    [...rows].map(([, kind = "", status, type = "", retryable]) => [
      kind,
      { status: Number(status), type, retryable: retryable === "yes" },
    ]),
  )
}
