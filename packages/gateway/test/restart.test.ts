import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { call, dataOf, eventFrames, KEY, streamBody } from "./support.ts"

const SLUICE = fileURLToPath(new URL("../../cli/bin/sluice", import.meta.url))
const root = fs.mkdtempSync(join(tmpdir(), "sluice-restart-"))
const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill("SIGKILL")
  fs.rmSync(root, { recursive: true, force: true })
})
let folders = 0

interface Process {
  readonly child: ChildProcess
  readonly url: string
  readonly output: () => string
  readonly exit: Promise<number | null>
  kill(): Promise<void>
}

/** Starts it and waits until it listens or has ended. */
async function start(data: string, options: { yaml?: string; shell?: string } = {}): Promise<Process> {
  const config = join(root, `${folders++}.yaml`)
  fs.writeFileSync(config, options.yaml ?? "{}\n")
  const command = `${options.shell ?? ""} exec "$0" serve --port 0 --config "$1"`
  const child = spawn("sh", ["-c", command, SLUICE, config], {
    env: { ...process.env, SLUICE_API_KEY: KEY, SLUICE_DATA: data },
    stdio: ["ignore", "pipe", "pipe"],
  })
  children.push(child)
  let output = ""
  let url = ""
  const exit = once(child, "close").then(([code]) => code as number | null)
  const ready = new Promise<void>((resolve) => {
    const read = (piece: Buffer): void => {
      output += piece.toString()
      url = /^sluice listening on (http:\S+)$/m.exec(output)?.[1] ?? ""
      if (url !== "") resolve()
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
  })
  await Promise.race([ready, exit])
  return {
    child,
    url,
    output: () => output,
    exit,
    async kill() {
      child.kill("SIGKILL")
      await exit
    },
  }
}

const newData = (): string => join(root, `data-${folders++}`)

test("a second start on the same data folder says so in one sentence and exits 2; the lock dies with its process", async () => {
  const data = newData()
  const first = await start(data)
  const second = await start(data)
  assert.equal(await second.exit, 2)
  assert.match(
    second.output(),
    /^sluice: the data folder \S+ is in use by another sluice \(process \d+\): .+\n$/,
  )
  assert.ok(second.output().includes(`(process ${first.child.pid})`))
  await first.kill()
  const third = await start(data)
  assert.notEqual(third.url, "", third.output())
  await third.kill()
  const file = newData()
  fs.writeFileSync(file, "a file, not a folder")
  const nowhere = await start(file)
  assert.equal(await nowhere.exit, 2)
  assert.match(nowhere.output(), /^sluice: the data folder \S+ cannot be used .+\n$/)
})

test("after kill -9 streams of the process before are resumed, retrieved, cancelled and joined as if it were there", async () => {
  const data = newData()
  const first = await start(data)
  const chat = (url: string) => `${url}/v1/chat/completions`
  const key = { "idempotency-key": "once", "sluice-on-disconnect": "detach" }
  const body = streamBody("sim/story:tokens=5000,gap=5")
  const running = await call(chat(first.url), { body, headers: key })
  const runningId = String(running.headers["sluice-stream-id"])
  await running.frames(20)
  const ended = await call(chat(first.url), { body: streamBody("sim/story:tokens=30") })
  const endedId = String(ended.headers["sluice-stream-id"])
  const endedText = (await ended.whole()).text
  const whole = { model: "sim/story:tokens=9", messages: [{ role: "user", content: "x" }] }
  const plain = await call(chat(first.url), { body: whole, headers: { "idempotency-key": "plain" } })
  const plainText = (await plain.whole()).text
  const refused = await call(chat(first.url), {
    body: streamBody("sim/story:error=400"),
    headers: { "idempotency-key": "refused" },
  })
  assert.equal(refused.status, 400)
  await refused.whole()
  await first.kill()
  const seen = (await running.whole()).text

  const second = await start(data)
  const replay = await call(`${chat(second.url)}/${runningId}?stream=true`)
  assert.equal(replay.headers["sluice-model"], running.headers["sluice-model"])
  const { text, complete } = await replay.whole()
  assert.equal(complete, true)
  assert.ok(text.startsWith(seen))
  const last = dataOf(eventFrames(text).at(-1)!)
  assert.deepEqual((last["error"] as { metadata: unknown }).metadata, {
    error_type: "interrupted",
    retryable: true,
  })
  assert.equal(last["model"], running.headers["sluice-model"])
  for (const path of ["", "/cancel"]) {
    const answer = await call(`${chat(second.url)}/${runningId}${path}`, {
      method: path === "" ? "GET" : "POST",
    })
    const { sluice } = JSON.parse((await answer.whole()).text)
    assert.equal(sluice.state, "interrupted")
    assert.equal(sluice.error.metadata.error_type, "interrupted")
  }
  const joined = await call(chat(second.url), { body, headers: key })
  assert.equal(joined.headers["sluice-replayed"], "true")
  assert.equal((await joined.whole()).text, text)
  const other = await call(chat(second.url), { body: streamBody("sim/story:tokens=1"), headers: key })
  assert.equal(other.status, 422)

  assert.equal((await (await call(`${chat(second.url)}/${endedId}?stream=true`)).whole()).text, endedText)
  const plainAgain = await call(chat(second.url), { body: whole, headers: { "idempotency-key": "plain" } })
  assert.equal(plainAgain.headers["sluice-replayed"], "true")
  assert.equal((await plainAgain.whole()).text, plainText)
  const freed = await call(chat(second.url), {
    body: streamBody("sim/story:error=400"),
    headers: { "idempotency-key": "refused" },
  })
  assert.equal(freed.headers["sluice-replayed"], undefined)
  await second.kill()
})

test("durability memory keeps nothing over a restart, power keeps all that was shown", async () => {
  for (const durability of ["memory", "power"]) {
    const data = newData()
    const yaml = `streams: { durability: ${durability} }\n`
    const first = await start(data, { yaml })
    const answer = await call(`${first.url}/v1/chat/completions`, {
      body: streamBody("sim/story:tokens=40,gap=1"),
    })
    const id = String(answer.headers["sluice-stream-id"])
    const { text, complete } = await answer.whole()
    assert.equal(complete, true)
    await first.kill()
    const second = await start(data, { yaml })
    const replay = await call(`${second.url}/v1/chat/completions/${id}?stream=true`)
    if (durability === "memory") assert.equal(replay.status, 404)
    else assert.equal((await replay.whole()).text, text)
    await second.kill()
  }
})

test("when the disk takes no more, streams fail truthfully, new calls get 503, and it goes on when it does again", async () => {
  // No file may grow past 4096 blocks: the journal's write fails, and the next segment works again.
  const running = await start(newData(), { shell: "ulimit -f 4096;" })
  const chat = `${running.url}/v1/chat/completions`
  const answers = await Promise.all(
    [1, 2, 3].map(() => call(chat, { body: streamBody("sim/story:tokens=6000") })),
  )
  for (const answer of answers) {
    const { text, complete } = await answer.whole()
    assert.equal(complete, true)
    assert.ok(!text.includes("[DONE]"))
    const frames = eventFrames(text)
    const error = dataOf(frames.at(-1)!)["error"] as { message: string; metadata: { error_type: string } }
    assert.equal(error.metadata.error_type, "server")
    assert.match(error.message, /journal/)
    assert.ok(frames.length > 5)
    // What was shown of it is still there.
    const id = String(answer.headers["sluice-stream-id"])
    assert.equal((await (await call(`${chat}/${id}?stream=true`)).whole()).text, text)
  }
  const ready = await call(`${running.url}/readyz`, { key: "" })
  assert.equal(ready.status, 503)
  assert.match((await ready.whole()).text, /"journal":"EFBIG/)
  const refused = await call(chat, { body: streamBody("sim/story:tokens=1") })
  assert.equal(refused.status, 503)
  assert.equal(refused.headers["retry-after"], "5")
  assert.equal((await call(`${running.url}/healthz`, { key: "" })).status, 200)
  while ((await call(`${running.url}/readyz`, { key: "" })).status !== 200) await sleep(50)
  const answer = await call(chat, { body: streamBody("sim/story:tokens=5") })
  assert.ok((await answer.whole()).text.endsWith("data: [DONE]\n\n"))
  await running.kill()
})
