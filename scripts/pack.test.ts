/** What is published, used as strangers use it: packed, installed in an empty folder, run on old and new, bundled. */
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { after, before, test } from "node:test"
import { build } from "esbuild"
import { withPage } from "./browser.ts"
import { mustRun, node24, root } from "./house.ts"
import { findNode20 } from "./old-node.ts"
import { PUBLISHED, pack } from "./pack.ts"
import { type StartedGateway, startGateway } from "./started-gateway.ts"

const TOKENS = 20

/** The stranger's program; the same text must come out of it everywhere. */
const STORY = `import { Sluice } from "@sluice/sdk"

export async function story(baseURL, apiKey) {
  const client = new Sluice({ baseURL, apiKey })
  const messages = [{ role: "user", content: "Tell me a story." }]
  const stream = await client.chat.send({ model: "sim/story:tokens=${TOKENS}", messages, stream: true })
  let text = ""
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ""
  const completion = await stream.final()
  return { text, finishReason: completion.choices[0].finishReason }
}
`
const MAIN = `import { story } from "./story.js"
console.log(JSON.stringify(await story(process.argv[2], process.argv[3])))
`
const TYPES = `import { startGateway } from "@sluice/gateway"
import { createSseDecoder, type Chunk } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import * as schemas from "@sluice/protocol/schema"
import { Sluice } from "@sluice/sdk"
import type { ChatCompletionStreamEvent } from "@sluice/sdk/models"
export const values = [startGateway, createSseDecoder, dialects, schemas, Sluice]
export type Both = [Chunk, ChatCompletionStreamEvent]
`

let folder: string
let tarballs: string[]
let gateway: StartedGateway
let expected: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-pack-"))
  tarballs = await pack(join(folder, "tarballs"))
  writeFileSync(join(folder, "package.json"), '{ "name": "stranger", "private": true, "type": "module" }')
  await mustRun(
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...tarballs],
    {
      cwd: folder,
    },
  )
  writeFileSync(join(folder, "story.js"), STORY)
  writeFileSync(join(folder, "main.js"), MAIN)
  gateway = await startGateway(["npx", "--no-install", "sluice", "serve"], { cwd: folder })
})

after(async () => {
  await gateway?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test("packing twice gives the same bytes", async () => {
  const again = await pack(join(folder, "again"))
  assert.deepEqual(
    again.map((path) => basename(path)),
    tarballs.map((path) => basename(path)),
  )
  for (const [index, path] of again.entries()) {
    assert.ok(readFileSync(path).equals(readFileSync(tarballs[index]!)), `${basename(path)} differs`)
  }
})

test("an installed package holds its build, its README and its licence, and no source", () => {
  for (const name of PUBLISHED) {
    const installed = join(folder, "node_modules/@sluice", name)
    for (const wanted of ["dist", "README.md", "LICENSE", "package.json"]) {
      assert.ok(existsSync(join(installed, wanted)), `${name} has no ${wanted}`)
    }
    // For the first line of a `sluice.yaml`.
    if (name === "gateway") assert.ok(existsSync(join(installed, "sluice.schema.json")))
    const files = readdirSync(installed, { recursive: true, encoding: "utf8" })
    assert.deepEqual(
      files.filter((file) => /\.test\.|\.suite\.|(?<!\.d)\.ts$|tsconfig/.test(file)),
      [],
    )
  }
})

test("the declarations hold for a strict stranger who checks libraries too", async () => {
  writeFileSync(join(folder, "types.ts"), TYPES)
  const options = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "false",
    "--module",
    "nodenext",
    "--target",
    "es2023",
  ]
  const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")]
  await mustRun(join(root, "node_modules/.bin/tsc"), [...options, ...types, "types.ts"], { cwd: folder })
})

test("npx sluice serve streams to anyone who can send a POST", async () => {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: `sim/story:tokens=${TOKENS}`,
      messages: [{ role: "user", content: "Tell me a story." }],
      stream: true,
    }),
  })
  const body = await response.text()
  assert.equal(response.status, 200, body)
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/)
  const data = [...body.matchAll(/^data: (.*)$/gm)].map(([, text = ""]) => text)
  assert.equal(data.at(-1), "[DONE]")
  const deltas = data.slice(0, -1).map((text) => JSON.parse(text).choices[0]?.delta.content ?? "")
  expected = deltas.join("")
  assert.equal(deltas.filter((delta) => delta !== "").length, TOKENS)
})

test("npx sluice serve has its first look with it, file by file as it stands in the checkout", async () => {
  const sources = join(root, "packages/gateway/src/first-look")
  const files = readdirSync(sources).filter((file) => !file.endsWith(".ts"))
  assert.ok(files.includes("index.html"))
  for (const file of files) {
    const path = file === "index.html" ? "" : `first-look/${file}`
    const response = await fetch(`${gateway.url}/${path}`)
    assert.equal(response.status, 200, file)
    assert.equal(await response.text(), readFileSync(join(sources, file), "utf8"), file)
  }
})

test("the sdk gives the same text on Node 20", async () => {
  assertStory(
    await mustRun(await findNode20(), ["main.js", `${gateway.url}/v1`, gateway.apiKey], { cwd: folder }),
  )
})

test("the sdk gives the same text on Node 24", async () => {
  assertStory(await mustRun(node24, ["main.js", `${gateway.url}/v1`, gateway.apiKey], { cwd: folder }))
})

test("the sdk gives the same text from one bundled file", async () => {
  const outfile = join(folder, "bundle/main.mjs")
  await build({
    entryPoints: [join(folder, "main.js")],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
  })
  assertStory(
    await mustRun(await findNode20(), [outfile, `${gateway.url}/v1`, gateway.apiKey], { cwd: tmpdir() }),
  )
})

test("the sdk gives the same text in a browser", async () => {
  const { outputFiles } = await build({
    entryPoints: [join(folder, "story.js")],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
  })
  await withServer(appServer(outputFiles[0]!.text), async (url) => {
    const story = await withPage(async (page) => {
      await page.goto(url)
      // As text, since the page's module is not one that the compiler here could find.
      return page.evaluate(
        `import("/story.js").then(({ story }) => story(location.origin + "/v1", "the-servers-own"))`,
      )
    })
    assertStory(JSON.stringify(story))
  })
})

function assertStory(printed: string): void {
  assert.deepEqual(JSON.parse(printed), { text: expected, finishReason: "stop" })
}

/** The app's own server: a page, its script, and the way to the gateway with the key that the browser never sees. */
function appServer(script: string) {
  return (incoming: IncomingMessage, answer: ServerResponse): void => {
    if (incoming.url === "/")
      return void answer.setHeader("content-type", "text/html").end("<!doctype html><title>app</title>")
    if (incoming.url === "/story.js")
      return void answer.setHeader("content-type", "text/javascript").end(script)
    const { method } = incoming
    const { host: _, origin: __, referer: ___, ...headers } = incoming.headers
    const onward = request(`${gateway.url}${incoming.url}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${gateway.apiKey}` },
    })
    onward.once("error", (error) => answer.destroy(error))
    onward.once("response", (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(answer)
    })
    incoming.pipe(onward)
  }
}

async function withServer(
  handler: (incoming: IncomingMessage, answer: ServerResponse) => void,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}
