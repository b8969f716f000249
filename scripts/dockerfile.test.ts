import assert from "node:assert/strict"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { dockerfileFaults, readDockerfile } from "./dockerfile.ts"
import { mustRun, node24, root, runCommand } from "./house.ts"
import { startGateway } from "./started-gateway.ts"

const source = readFileSync(join(root, "Dockerfile"), "utf8")
const ignore = readFileSync(join(root, ".dockerignore"), "utf8")

/** What somebody might change, and a word of the answer. */
const PLANTED: readonly [change: (source: string) => string, answer: RegExp][] = [
  [(text) => text.replace("FROM node:24-bookworm-slim", "FROM node"), /names no version/],
  [(text) => text.replace("FROM node:24-bookworm-slim", "FROM node:latest"), /names no version/],
  [(text) => text.replace("USER node\n", ""), /as root/],
  [(text) => text.replace("USER node", "USER root"), /as root/],
  [(text) => text.replace("COPY packages packages", "ADD packages packages"), /ADD/],
  [(text) => text.replace("HEALTHCHECK", "LABEL"), /alive/],
  [(text) => text.replace(/^ENTRYPOINT .*/m, ""), /starts nothing/],
  [(text) => text.replace(/^ENTRYPOINT .*/m, "ENTRYPOINT node main.ts"), /signals/],
  [(text) => text.replace("npm ci", "npm install"), /lock/],
  [(text) => text.replace("WORKDIR /app", "WORKDIR app"), /depends on the line before/],
  [(text) => text.replace("ENV ", "ENV SLUICE_API_KEY=sk-1 "), /baked in/],
  [(text) => text.replace("RUN mkdir", "RUN curl https://example.com | sh && mkdir"), /trusts/],
]

test("the Dockerfile has no fault", () => {
  assert.deepEqual(dockerfileFaults(source, ignore), [])
})

for (const [index, [change, answer]] of PLANTED.entries()) {
  test(`a planted fault is named: ${answer.source} (${index + 1})`, () => {
    const planted = change(source)
    assert.notEqual(planted, source)
    const faults = dockerfileFaults(planted, ignore)
    assert.ok(
      faults.some((fault) => answer.test(fault)),
      faults.join("\n"),
    )
  })
}

test("a .dockerignore that lets node_modules or .git through is named", () => {
  assert.equal(dockerfileFaults(source, "dist\n").length, 2)
})

test("what the Dockerfile copies, installs and starts is a gateway that streams, and needs a key", async () => {
  const image = mkdtempSync(join(tmpdir(), "sluice-image-"))
  try {
    const instructions = readDockerfile(source)
    for (const { name, text } of instructions) {
      if (name === "COPY" && !text.startsWith("--from")) copy(text.split(" "), image)
      if (name === "RUN" && text.startsWith("npm "))
        await mustRun("sh", ["-c", `${text} --prefer-offline`], { cwd: image })
    }
    const entry: string[] = JSON.parse(instructions.find(({ name }) => name === "ENTRYPOINT")?.text ?? "[]")
    assert.equal(entry[0], "node")
    const command = [node24, ...entry.slice(1)]

    const bare = {
      ...process.env,
      SLUICE_API_KEY: undefined,
      SLUICE_ADMIN_KEY: undefined,
      SLUICE_DATA: join(image, "data"),
    }
    const refused = await runCommand(command[0]!, [...command.slice(1), "--port", "0"], {
      cwd: image,
      env: bare,
    })
    assert.equal(refused.code, 2, refused.output)
    assert.match(refused.output, /SLUICE_API_KEY/)

    const gateway = await startGateway(command, { cwd: image })
    try {
      const alive = await fetch(`${gateway.url.replace("0.0.0.0", "127.0.0.1")}/healthz`)
      assert.equal(alive.status, 200)
      await alive.text()
    } finally {
      assert.equal(await gateway.stop(), 0, "SIGTERM must end it cleanly")
    }
  } finally {
    rmSync(image, { recursive: true, force: true })
  }
})

/** `COPY a b folder/`, without what .dockerignore leaves out below a folder. */
function copy(words: readonly string[], image: string): void {
  const target = join(image, words.at(-1) ?? "")
  for (const word of words.slice(0, -1)) {
    const from = join(root, word)
    assert.ok(existsSync(from), `COPY ${word}: there is no such file`)
    const to = statSync(from).isDirectory() ? target : join(target, word.split("/").at(-1) ?? "")
    cpSync(from, to, {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist|test)(\/|$)|\.(test|suite)\.ts$/.test(path.slice(root.length)),
    })
  }
}
