/** The nginx configuration of docs/operations.md, run by nginx, before a gateway that runs. */
import assert from "node:assert/strict"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import http from "node:http"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { blocksInMarkdown } from "./doc-examples.ts"
import { root } from "./house.ts"
import { type StartedGateway, startGateway } from "./started-gateway.ts"

// Debian's stands where only root's PATH looks.
const environment = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` }
const isHere = spawnSync("nginx", ["-v"], { env: environment }).status === 0
const LIMIT = { timeout: 30_000 }

const page = readFileSync(join(root, "docs/operations.md"), "utf8")
const snippets = blocksInMarkdown("docs/operations.md", page, "nginx")

let folder: string
let gateway: StartedGateway
let nginx: ChildProcess | undefined
let port: number

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-nginx-"))
  gateway = await startGateway(["packages/cli/bin/sluice", "serve"], { cwd: root })
  if (isHere) port = await startNginx(snippets[0]?.code ?? "")
})
after(async () => {
  nginx?.kill("SIGTERM")
  await gateway?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test("the page has one nginx configuration", (t) => {
  assert.equal(snippets.length, 1)
  if (!isHere) t.diagnostic("absent: nginx; its configuration in docs/operations.md was not tried")
})

test("each event comes through when it is sent, not when a buffer is full", LIMIT, async (t) => {
  if (!isHere) return t.diagnostic("absent: nginx")
  // After six events the provider says nothing more: what nginx still had would never come.
  const stream = await ask("/v1", "sim/story:tokens=50,stall=6")
  await stream.until("\nid: 6\n")
  stream.leave()
})

test("a stream whose connection to nginx drops is resumed through it, to the byte", LIMIT, async (t) => {
  if (!isHere) return t.diagnostic("absent: nginx")
  const stream = await ask("/v1", "sim/story:tokens=60,gap=10", { "sluice-on-disconnect": "drain:60" })
  await stream.until("\nid: 10\n")
  stream.leave()
  const path = `/v1/chat/completions/${stream.headers["sluice-stream-id"]}`
  const rest = await (await send("GET", path, { "last-event-id": "10" })).whole()
  const all = await (await send("GET", `${path}?stream=true`)).whole()
  assert.ok(rest.text.startsWith("id: 11\n") && rest.text.endsWith("data: [DONE]\n\n"))
  assert.equal(all.text.slice(all.text.indexOf("id: 11\n")), rest.text)
})

test("a torn body arrives torn", LIMIT, async (t) => {
  if (!isHere) return t.diagnostic("absent: nginx")
  const { text, complete } = await (await ask("/r9s/v1", "sim/story:cut=5")).whole()
  assert.match(text, /"error":/)
  assert.equal(complete, false)
})

test("a body of more than nginx' own megabyte is let through", LIMIT, async (t) => {
  if (!isHere) return t.diagnostic("absent: nginx")
  const { text } = await (await ask("/v1", "sim/story:tokens=3", {}, "a ".repeat(1_000_000))).whole()
  assert.ok(text.endsWith("data: [DONE]\n\n"), text)
})

async function startNginx(snippet: string): Promise<number> {
  const free = await freePort()
  const server = snippet
    .replace("listen 80;", `listen 127.0.0.1:${free};`)
    .replace("http://127.0.0.1:4000", gateway.url)
  assert.ok(server.includes(String(free)) && server.includes(gateway.url), "the page's addresses are known")
  const own = (name: string): string => join(folder, name)
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
  writeFileSync(
    own("nginx.conf"),
    `${process.getuid?.() === 0 ? "user root;" : ""} daemon off; worker_processes 1; pid ${own("pid")}; error_log stderr warn;
events {}
http {
access_log off;
${temporary.map((name) => `${name}_temp_path ${own(name)};`).join("\n")}
${server}}
`,
  )
  const child = spawn("nginx", ["-p", folder, "-c", own("nginx.conf")], {
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  })
  nginx = child
  let complaint = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text))
  // It says nothing when it is ready.
  while (!(await answers(free))) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}:\n${complaint}`)
    await sleep(20)
  }
  return free
}

function answers(at: number): Promise<boolean> {
  return new Promise((resolve) => {
    http
      .get({ port: at, path: "/healthz", agent: false }, (response) => resolve(response.statusCode === 200))
      .once("error", () => resolve(false))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}

interface Answer {
  readonly headers: http.IncomingHttpHeaders
  /** Resolves when that has come. */
  until(text: string): Promise<void>
  whole(): Promise<{ text: string; complete: boolean }>
  leave(): void
}

const ask = (mount: string, model: string, headers = {}, content = "Tell me a story.") => {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content }] })
  return send("POST", `${mount}/chat/completions`, { ...headers, "content-type": "application/json" }, body)
}

/** As a client out there: it knows the name that the page gives the server. */
function send(method: string, path: string, headers = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      port,
      path,
      method,
      agent: false,
      headers: { host: "llm.example.com", authorization: `Bearer ${gateway.apiKey}`, ...headers },
    })
    request.on("error", reject)
    request.on("response", (response) => {
      let text = ""
      let look = (): void => {}
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece
        look()
      })
      response.on("error", () => {})
      const closed = new Promise<void>((over) => response.once("close", over))
      resolve({
        headers: response.headers,
        until: (wanted) =>
          new Promise((found) => {
            look = () => text.includes(wanted) && found()
            look()
          }),
        async whole() {
          await closed
          return { text, complete: response.complete }
        },
        leave: () => void request.destroy(),
      })
    })
    request.end(body)
  })
}
