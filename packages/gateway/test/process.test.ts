import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { fileURLToPath } from "node:url"
import { call, dataOf, eventFrames, KEY, streamBody } from "./support.ts"

const SLUICE = fileURLToPath(new URL("../../cli/bin/sluice", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "sluice-process-"))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Process {
  readonly child: ChildProcess
  readonly output: () => string
  readonly url: Promise<string>
  readonly exit: Promise<number | null>
}

function start(args: string[], environment: Record<string, string> = {}): Process {
  const child = spawn(SLUICE, ["serve", ...args], {
    cwd: folder,
    env: { ...process.env, SLUICE_API_KEY: KEY, SLUICE_DATA: join(folder, "data"), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  const exit = once(child, "close").then(([code]) => code as number | null)
  const url = new Promise<string>((resolve, reject) => {
    const read = (piece: Buffer): void => {
      output += piece.toString()
      const ready = output.match(/^sluice listening on (http:\S+)$/m)?.[1]
      if (ready !== undefined) resolve(ready)
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    void exit.then(() => reject(new Error(`it ended before it was ready: ${output}`)))
  })
  url.catch(() => {})
  return { child, output: () => output, url, exit }
}

function config(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

test("SIGTERM with nothing running exits 0; the signal reaches the one process", async () => {
  const running = start(["--port", "0"])
  await running.url
  running.child.kill("SIGTERM")
  assert.equal(await running.exit, 0)
})

test("SIGTERM lets a running stream finish, then exits 0", async () => {
  const running = start(["--port", "0"])
  const url = await running.url
  const answer = await call(`${url}/v1/chat/completions`, { body: streamBody("sim/story:tokens=30,gap=20") })
  await answer.frames(3)
  running.child.kill("SIGTERM")
  const { text, complete } = await answer.whole()
  assert.equal(complete, true)
  assert.ok(text.endsWith("data: [DONE]\n\n"))
  assert.equal(await running.exit, 0)
})

test("what has not finished by the end of the drain is cut truthfully, and the exit code says so", async () => {
  const running = start(["--port", "0", "--config", config("short.yaml", "server: { drain: 200ms }\n")])
  const url = await running.url
  const answer = await call(`${url}/v1/chat/completions`, {
    body: streamBody("sim/story:tokens=5000,gap=20"),
  })
  await answer.frames(3)
  running.child.kill("SIGTERM")
  const { text } = await answer.whole()
  const last = dataOf(eventFrames(text).at(-1)!)
  assert.equal(
    (last["error"] as { metadata: { error_type: string } }).metadata.error_type,
    "gateway_shutdown",
  )
  assert.equal(await running.exit, 1)
})

test("a second SIGTERM ends it at once", async () => {
  const running = start(["--port", "0"])
  const url = await running.url
  const answer = await call(`${url}/v1/chat/completions`, {
    body: streamBody("sim/story:tokens=5000,gap=20"),
  })
  await answer.frames(3)
  running.child.kill("SIGTERM")
  while ((await call(`${url}/readyz`, { key: "" })).status !== 503) {}
  running.child.kill("SIGTERM")
  assert.equal(await running.exit, 1)
  answer.leave()
})

test("a mistake in the configuration, a taken port and a wrong flag each end the start with one clear line and 2", async () => {
  const broken = start([
    "--port",
    "0",
    "--config",
    config("broken.yaml", "models:\n  fast:\n    candidates: 7\n"),
  ])
  assert.equal(await broken.exit, 2)
  assert.match(broken.output(), /broken\.yaml:3/)
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const taken = start(["--port", String((server.address() as net.AddressInfo).port)])
  assert.equal(await taken.exit, 2)
  assert.match(taken.output(), /port is taken/)
  server.close()
  const wrong = start(["--prot", "1"])
  assert.equal(await wrong.exit, 2)
  assert.match(wrong.output(), /--prot/)
  assert.ok(!wrong.output().includes("    at "), "no stack trace")
})

test("a database that cannot be used ends the start with one line, without its password, and 2", async () => {
  const running = start(["--port", "0"], {
    DATABASE_URL: "postgres://sluice:not-for-the-log@127.0.0.1:1/sluice",
  })
  assert.equal(await running.exit, 2)
  assert.match(running.output(), /^sluice: The database at 127\.0\.0\.1:1 cannot be used: .+\n$/)
  assert.ok(!running.output().includes("not-for-the-log"))
})

test("without a key one is minted into the data folder for its owner alone, and never printed to a pipe", async () => {
  const running = start(["--port", "0"], { SLUICE_API_KEY: "" })
  const url = await running.url
  const file = join(folder, "data", "dev-key")
  const key = readFileSync(file, "utf8").trim()
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal((await call(`${url}/v1/models`, { key })).status, 200)
  assert.equal((await call(`${url}/v1/models`, { key: `${key}x` })).status, 401)
  assert.ok(!running.output().includes(key))
  running.child.kill("SIGTERM")
  assert.equal(await running.exit, 0)
  const open = start(["--port", "0", "--host", "0.0.0.0"], { SLUICE_API_KEY: "" })
  assert.equal(await open.exit, 2)
  assert.match(open.output(), /SLUICE_API_KEY/)
})
