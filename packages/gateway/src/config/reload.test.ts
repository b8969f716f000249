import assert from "node:assert/strict"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, watch, writeFileSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { load } from "../../test/config-support.ts"
import { restartNeeded, watchConfig } from "./reload.ts"

/** A watched file in a folder of its own, and the changes told so far. */
function watched(context: TestContext, prepare: (folder: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), "sluice-reload-"))
  const file = join(folder, "sluice.yaml")
  writeFileSync(file, "first")
  prepare(folder)
  const changes: string[] = []
  let wake = (): void => {}
  const watching = watchConfig(file, (text) => {
    changes.push(new TextDecoder().decode(text))
    wake()
  })
  context.after(() => {
    watching.close()
    rmSync(folder, { recursive: true })
  })
  /** Until the last change told is this text. */
  async function until(text: string): Promise<void> {
    // A watch alone does not keep the process alive; a gateway's server does.
    const alive = setInterval(() => {}, 1_000)
    while (changes.at(-1) !== text) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    clearInterval(alive)
  }
  return { folder, file, changes, until, watching }
}

/** As many editors save: a new file, moved over the old one. */
function saveByRename(file: string, text: string): void {
  writeFileSync(`${file}~`, text)
  renameSync(`${file}~`, file)
}

/** Until another watch has seen the change too, and the file could have been read several times since. */
async function noticed(folder: string, change: () => void): Promise<void> {
  const other = watch(folder)
  const seen = once(other, "change")
  change()
  await seen
  for (let reading = 0; reading < 10; reading++) await readdir(folder)
  other.close()
}

test("a file that is written over is told with its new text", async (context) => {
  const { file, until } = watched(context)
  writeFileSync(file, "second")
  await until("second")
  writeFileSync(file, "third")
  await until("third")
})

test("a file that another is moved over is told, each time", async (context) => {
  const { file, until } = watched(context)
  for (const text of ["second", "third", "fourth"]) {
    saveByRename(file, text)
    await until(text)
  }
})

test("a save without a change, an empty file and a neighbour's change tell nothing", async (context) => {
  const { folder, file, changes, until } = watched(context)
  writeFileSync(file, "first")
  await noticed(folder, () => writeFileSync(join(folder, "neighbour.yaml"), "x"))
  await noticed(folder, () => writeFileSync(file, ""))
  await noticed(folder, () => saveByRename(file, "first"))
  saveByRename(file, "second")
  await until("second")
  assert.deepEqual(changes, ["second"])
})

test("a file that was away is told when it is back with another text", async (context) => {
  const { file, changes, until } = watched(context)
  rmSync(file)
  writeFileSync(file, "second")
  await until("second")
  assert.deepEqual(changes, ["second"])
})

test("a link that is moved to another folder is told, as orchestrators do", async (context) => {
  const { folder, until } = watched(context, (folder) => {
    for (const version of ["one", "two"]) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, "sluice.yaml"), version)
    }
    symlinkSync("one", join(folder, "data"))
    rmSync(join(folder, "sluice.yaml"))
    symlinkSync(join("data", "sluice.yaml"), join(folder, "sluice.yaml"))
  })
  symlinkSync("two", join(folder, "data~"))
  renameSync(join(folder, "data~"), join(folder, "data"))
  await until("two")
})

test("the file that a link leads to is watched too", async (context) => {
  const { folder, until } = watched(context, (folder) => {
    mkdirSync(join(folder, "elsewhere"))
    renameSync(join(folder, "sluice.yaml"), join(folder, "elsewhere", "real.yaml"))
    symlinkSync(join("elsewhere", "real.yaml"), join(folder, "sluice.yaml"))
  })
  writeFileSync(join(folder, "elsewhere", "real.yaml"), "second")
  await until("second")
})

test("a watch that is closed tells nothing more", async (context) => {
  const { file, until, watching } = watched(context)
  const told: Uint8Array[] = []
  const closed = watchConfig(file, (text) => told.push(text))
  closed.close()
  writeFileSync(file, "second")
  await until("second")
  assert.deepEqual(told, [])
  watching.close()
  watching.close()
})

test("a change of server or durability needs a restart, and nothing else does", () => {
  const before = load("providers: { a: { kind: openai, credential: none } }")
  assert.deepEqual(
    restartNeeded(before, load("defaults: { retries: 3 }\nstreams: { keep: 1h, max_bytes: 1MB }")),
    [],
  )
  assert.deepEqual(
    restartNeeded(before, load("server: { port: 4001, cors: ['*'] }\nstreams: { durability: power }")),
    ["streams.durability", "server.port", "server.cors"],
  )
})
