/** Every setting either takes effect with the reload, shown here by what the gateway does, or is named as waiting for a restart. */
import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { settings } from "../src/config/settings.ts"
import { startSimServer } from "../src/providers/sim-server.ts"
import { createKey, rowsOf, until } from "./books-support.ts"
import { type ReloadingGateway, startWithFile } from "./reload-support.ts"
import { ADMIN_KEY, call, streamBody } from "./support.ts"

/** By the settings that begin so: those of a provider, a model or the defaults are taken over together, as routes. */
const PROOFS: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  async providers(t) {
    const servers = [await startSimServer({ port: 0 }), await startSimServer({ port: 0 })]
    t.after(() => Promise.all(servers.map((server) => server.close())))
    const file = (at: number): string =>
      `providers: { far: { kind: openai-compatible, base_url: "${servers[at]!.url}/v1" } }\n`
    const gateway = await startWithFile(t, file(0))
    await whole(gateway, "far/sim/a:tokens=1")
    await taken(gateway, file(1))
    await servers[0]!.close()
    await whole(gateway, "far/sim/a:tokens=1")
  },
  async models(t) {
    const gateway = await startWithFile(t, "{}\n")
    assert.equal((await gateway.ask("m")).status, 404)
    await taken(gateway, "models: { m: { candidates: [{ provider: sim, model: a }] } }\n")
    await whole(gateway, "m")
  },
  async defaults(t) {
    const gateway = await startWithFile(t, "{}\n")
    await taken(gateway, "defaults: { timers: { first_content: 50ms } }\n")
    assert.equal((await gateway.ask("sim/a:stall=1")).status, 504)
  },
  async prices(t) {
    const gateway = await startWithFile(t, "{}\n")
    await whole(gateway, "sim/a:tokens=2")
    await taken(gateway, "prices: { sim/a: { input: 0, output: 1000000 } }\n")
    await whole(gateway, "sim/a:tokens=2")
    await until(async () => (await rowsOf(gateway)).every(({ ending }) => ending !== null))
    assert.deepEqual(
      (await rowsOf(gateway)).map(({ cost_usd }) => Number(cost_usd ?? -1)),
      [2, -1],
    )
  },
  async unpriced(t) {
    const gateway = await startWithFile(t, "{}\n")
    const { secret } = await createKey(gateway, { budget: { amount_usd: "1", period: "total" } })
    const ask = () => call(gateway.chat, { key: secret, body: streamBody("sim/a:tokens=1") })
    assert.equal((await ask()).status, 402)
    await taken(gateway, "unpriced: allow\n")
    assert.equal((await ask()).status, 200)
  },
  async "streams.keep"(t) {
    const gateway = await startWithFile(t, "{}\n")
    const id = await whole(gateway, "sim/a:tokens=1")
    assert.equal(await statusOf(gateway, id), 200)
    await taken(gateway, "streams: { keep: 1ms }\n")
    await until(async () => (await statusOf(gateway, id)) === 404)
  },
  async "streams.max_bytes"(t) {
    const gateway = await startWithFile(t, "{}\n")
    const before = await whole(gateway, "sim/a:tokens=100")
    await taken(gateway, "streams: { max_bytes: 2KB }\n")
    // Its own reader may be too slow for what is left of it.
    const answer = await gateway.ask("sim/a:tokens=100")
    await answer.whole()
    const after = String(answer.headers["sluice-stream-id"])
    assert.equal(await statusOf(gateway, before, "?stream=true"), 200)
    assert.equal(await statusOf(gateway, after, "?stream=true"), 410)
  },
  async "streams.total_bytes"(t) {
    const gateway = await startWithFile(t, "{}\n")
    const id = await whole(gateway, "sim/a:tokens=100")
    await taken(gateway, "streams: { total_bytes: 1KB }\n")
    // As soon as the books have its call.
    await until(async () => (await statusOf(gateway, id)) === 404)
  },
  async "streams.keep_content"(t) {
    const gateway = await startWithFile(t, "{}\n")
    const { secret } = await createKey(gateway, { log_content: true })
    const ask = async (): Promise<string> => {
      const answer = await call(gateway.chat, { key: secret, body: streamBody("sim/a:tokens=1") })
      await answer.whole()
      return String(answer.headers["sluice-stream-id"])
    }
    const contentOf = async (id: string): Promise<number> =>
      (await call(`${gateway.url}/admin/calls/${id}/content`, { key: ADMIN_KEY })).status
    const before = await ask()
    await until(async () => (await contentOf(before)) === 200)
    await taken(gateway, "streams: { keep_content: 1s }\n")
    const after = await ask()
    await until(async () => (await contentOf(after)) === 200)
    await until(async () => (await contentOf(after)) === 404)
    assert.equal(await contentOf(before), 200)
  },
}

for (const [name, proof] of Object.entries(PROOFS)) test(`${name}: a reload takes effect`, proof)

test("of every setting it is either said that it needs a restart, or shown that it does not", () => {
  for (const { path, restart } of settings().filter(({ inside }) => !inside)) {
    const name = path.join(".")
    const shown = Object.keys(PROOFS).some((proof) => name === proof || name.startsWith(`${proof}.`))
    assert.notEqual(shown, restart === true, name)
  }
})

async function taken(gateway: ReloadingGateway, text: string): Promise<void> {
  assert.match(await gateway.save(text), /reloaded$/)
}

/** Gives the stream's id. */
async function whole(gateway: ReloadingGateway, model: string): Promise<string> {
  const answer = await gateway.ask(model)
  assert.ok((await answer.whole()).text.endsWith("data: [DONE]\n\n"))
  return String(answer.headers["sluice-stream-id"])
}

async function statusOf(gateway: ReloadingGateway, id: string, query = ""): Promise<number> {
  return (await call(`${gateway.chat}/${id}${query}`)).status
}
