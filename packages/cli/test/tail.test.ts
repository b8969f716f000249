/** `sluice tail`: every call twice, once when it opens and once when it settles. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { call, KEY, startTestGateway, streamBody } from "../../gateway/test/support.ts"
import { plain, type Sluice, sluiceAt, startSluice } from "./support.ts"

test("a call is shown when it opens and again when it settles, with what is known of it", async (t) => {
  const sluice = await startSluice(t)
  await ask(sluice, "sim/before:tokens=3")
  const tail = sluice.start(["tail", "--every", "1s"])
  await tail.until(/finished +sim\/before/)
  const { leave, id } = await open(sluice, "sim/slow:tokens=5000,gap=20")
  await tail.until(new RegExp(`open +sim/slow\\S* +env +${id}\n`))
  await call(`${sluice.gateway.url}/v1/chat/completions/${id}/cancel`, { method: "POST" })
  const shown = await tail.until(/cancelled .*\n/)
  leave()
  const figures = String.raw`first token \d+ ms · [\d.]+ tokens/s · \d+ \+ \d+ tokens · no price · cancelled · ${id}`
  assert.match(shown, new RegExp(`\\d\\d:\\d\\d:\\d\\d cancelled +sim/slow\\S* env +${figures}\n$`))
  assert.equal(shown.split("\n").length - 1, 3)
  tail.child.kill("SIGINT")
  const { code, err } = await tail.finished
  assert.deepEqual([code, err], [130, ""])
})

test("--json gives the call's row, open and settled", async (t) => {
  const sluice = await startSluice(t)
  await ask(sluice, "sim/before:tokens=3")
  const tail = sluice.start(["tail", "--json", "--last", "1"])
  await tail.until(/\n/)
  const { leave, id } = await open(sluice, "sim/slow:tokens=5000,gap=20")
  await tail.until(/"ending":null.*\n/)
  await call(`${sluice.gateway.url}/v1/chat/completions/${id}/cancel`, { method: "POST" })
  const lines = (await tail.until(/"ending":"cancelled".*\n/))
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line))
  leave()
  assert.deepEqual(
    lines.map((line) => [line.id, line.ending]),
    [
      [id, null],
      [id, "cancelled"],
    ],
  )
  assert.equal(typeof lines[1].usage.completion_tokens, "number")
})

test("--once shows the latest, oldest first, and leaves; a filter is a filter", async (t) => {
  const sluice = await startSluice(t)
  for (const model of ["sim/a:tokens=1", "sim/b:tokens=1", "sim/c:error_at=2", "sim/d:tokens=1"])
    await ask(sluice, model)
  const models = async (...args: string[]) => {
    const { code, out } = await sluice.run(["tail", "--once", "--json", ...args])
    assert.equal(code, 0)
    return out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).model_asked]))
  }
  assert.deepEqual(await models(), ["sim/a:tokens=1", "sim/b:tokens=1", "sim/c:error_at=2", "sim/d:tokens=1"])
  assert.deepEqual(await models("--last", "2"), ["sim/c:error_at=2", "sim/d:tokens=1"])
  assert.deepEqual(await models("--ending", "failed"), ["sim/c:error_at=2"])
  assert.deepEqual(await models("--key", "nobody"), [])
})

test("colours are for a terminal", async (t) => {
  const sluice = await startSluice(t)
  await ask(sluice, "sim/a:tokens=1")
  assert.equal((await sluice.run(["tail", "--once"])).out.includes("\u001b"), false)
  const { out } = await sluice.startAtTerminal(["tail", "--once"]).finished
  assert.ok(out.includes("\u001b[32mfinished"))
  assert.match(plain(out), /finished +sim\/a/)
})

test("a gateway that goes away ends it at the start, and is waited for later", async (t) => {
  const gateway = await startTestGateway()
  const sluice = sluiceAt(t, gateway)
  await ask(sluice, "sim/a:tokens=1")
  const tail = sluice.start(["tail"])
  await tail.until(/sim\/a/)
  await gateway.close()
  await new Promise<void>((resolve) => {
    tail.child.stderr!.on("data", () => tail.err.includes("Waiting for it.") && resolve())
  })
  tail.child.kill("SIGINT")
  assert.equal((await tail.finished).code, 130)
  const { code, err } = await sluice.run(["tail"])
  assert.equal(code, 1)
  assert.match(err, /cannot be reached/)
})

async function ask({ gateway }: Sluice, model: string): Promise<void> {
  await (await call(`${gateway.url}/v1/chat/completions`, { body: streamBody(model), key: KEY })).whole()
}

async function open({ gateway }: Sluice, model: string): Promise<{ id: string; leave: () => void }> {
  const answer = await call(`${gateway.url}/v1/chat/completions`, { body: streamBody(model), key: KEY })
  await answer.frames(2)
  return { id: String(answer.headers["sluice-stream-id"]), leave: answer.leave }
}
