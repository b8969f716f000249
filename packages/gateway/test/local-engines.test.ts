import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import http from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { type RunningGateway, startGateway } from "../src/main.ts"
import { createHttpPool } from "../src/providers/http/pool.ts"
import { findEngines, LOCAL_ENGINES, type LocalEngine } from "../src/providers/local-engines.ts"
import { wholeStream } from "./raw-provider.ts"
import { call, KEY, streamBody } from "./support.ts"

interface FakeEngine extends LocalEngine {
  /** Paths that were asked for. */
  readonly asked: string[]
}

/** `models`: what it answers to that question; undefined: nothing, ever. */
async function startEngine(
  context: TestContext,
  name: string,
  models: { status?: number; body: string } | undefined,
): Promise<FakeEngine> {
  const asked: string[] = []
  const server = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.method === "POST") {
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.end(wholeStream(["Hi"]).join(""))
    } else if (models !== undefined) {
      response.writeHead(models.status ?? 200, { "content-type": "application/json", location: "/v1/models" })
      response.end(models.body)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { name, baseUrl: `http://127.0.0.1:${port}/v1`, asked }
}

function listOf(...ids: string[]): { body: string } {
  return { body: JSON.stringify({ object: "list", data: ids.map((id) => ({ id, object: "model" })) }) }
}

/** A gateway as it starts without a configuration file, unless it is given one. */
async function start(
  context: TestContext,
  engines: readonly LocalEngine[],
  yaml?: string,
): Promise<RunningGateway & { lines: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-engines-"))
  const config = join(folder, "sluice.yaml")
  if (yaml !== undefined) writeFileSync(config, yaml)
  const lines: string[] = []
  const running = await startGateway({
    flags: { port: 0, ...(yaml === undefined ? {} : { config }) },
    environment: { SLUICE_API_KEY: KEY, SLUICE_DATA: folder },
    say: (line) => lines.push(line),
    warn: (line) => lines.push(line),
    terminal: false,
    engines,
  })
  context.after(async () => {
    await running.close()
    rmSync(folder, { recursive: true })
  })
  return { ...running, lines }
}

async function modelsOf(gateway: { url: string }): Promise<string[]> {
  const answer = await call(`${gateway.url}/v1/models`)
  const { data } = JSON.parse((await answer.whole()).text) as { data: { id: string }[] }
  return data.map(({ id }) => id)
}

test("the engines that are looked for are those of the table, where they listen by default", () => {
  assert.deepEqual(LOCAL_ENGINES, [
    { name: "ollama", baseUrl: "http://127.0.0.1:11434/v1" },
    { name: "llama.cpp", baseUrl: "http://127.0.0.1:8080/v1" },
    { name: "vllm", baseUrl: "http://127.0.0.1:8000/v1" },
    { name: "lm-studio", baseUrl: "http://127.0.0.1:1234/v1" },
  ])
})

test("an engine on this machine is found, said in one line, listed and used", async (context) => {
  const ollama = await startEngine(context, "ollama", listOf("llama3.2:3b", "qwen3"))
  const llama = await startEngine(context, "llama.cpp", listOf("gguf"))
  const gateway = await start(context, [ollama, llama])
  const place = (engine: LocalEngine): string => new URL(engine.baseUrl).host
  assert.deepEqual(
    gateway.lines.filter((line) => line.startsWith("found:")),
    [
      `found: ollama (${place(ollama)}) with llama3.2:3b, qwen3`,
      `found: llama.cpp (${place(llama)}) with gguf`,
    ],
  )
  assert.deepEqual(await modelsOf(gateway), [
    "sim/story",
    "ollama/llama3.2:3b",
    "ollama/qwen3",
    "llama.cpp/gguf",
  ])
  const answer = await call(`${gateway.url}/v1/chat/completions`, {
    body: streamBody("ollama/llama3.2:3b"),
  })
  assert.match((await answer.whole()).text, /"content":"Hi"[\s\S]*\[DONE\]/)
  assert.deepEqual(ollama.asked, ["GET /v1/models", "POST /v1/chat/completions"])
})

test("with a configuration file nothing is looked for", async (context) => {
  const ollama = await startEngine(context, "ollama", listOf("llama3.2"))
  const gateway = await start(context, [ollama], "{}\n")
  assert.deepEqual(ollama.asked, [])
  assert.deepEqual(await modelsOf(gateway), ["sim/story"])
})

test("a gateway does not find itself", async (context) => {
  const engine = await startEngine(context, "vllm", listOf("m"))
  const pool = createHttpPool()
  context.after(() => pool.close())
  const port = Number(new URL(engine.baseUrl).port)
  assert.deepEqual(await findEngines([engine], port, pool), [])
  assert.deepEqual(engine.asked, [])
  assert.equal((await findEngines([engine], port + 1, pool)).length, 1)
})

test("who is no engine, wants a key, moves away, says too much or says nothing is not found", async (context) => {
  const nobody = await startEngine(context, "lm-studio", undefined)
  const others = await Promise.all(
    [
      { body: "<html>hello</html>" },
      { body: '{"data": "yes"}' },
      { body: '{"data": [{"name": "no id"}]}' },
      { body: "null" },
      { ...listOf("m"), status: 401 },
      { ...listOf("m"), status: 302 },
      listOf("m".repeat(2 << 20)),
    ].map((answer) => startEngine(context, "vllm", answer)),
  )
  const gone = { name: "ollama", baseUrl: "http://127.0.0.1:1/v1" }
  const pool = createHttpPool()
  context.after(() => pool.close())
  assert.deepEqual(await findEngines([nobody, gone, ...others], 0, pool), [])
  for (const { asked } of [nobody, ...others]) assert.deepEqual(asked, ["GET /v1/models"])
})

test("an engine without a model is found all the same; names that a terminal would obey are left out", async (context) => {
  const empty = await startEngine(context, "ollama", { body: '{"object":"list","data":null}' })
  const many = await startEngine(
    context,
    "vllm",
    listOf("\u001b[2J", "a b", ...Array.from({ length: 10 }, (_, index) => `m${index}`)),
  )
  const gateway = await start(context, [empty, many])
  const found = gateway.lines.filter((line) => line.startsWith("found:"))
  assert.match(found[0]!, /^found: ollama \(127\.0\.0\.1:\d+\) with no model yet$/)
  assert.match(found[1]!, /^found: vllm \(127\.0\.0\.1:\d+\) with m0, m1, m2, m3, m4, m5, m6, m7 and 2 more$/)
})
