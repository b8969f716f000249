/**
 * The processes that conformance needs, started as a user starts them: a gateway, and behind it the simulator with
 * its journal and a raw provider of the test's own. All of it is looked at over HTTP only.
 *
 * SLUICE_URL (with SLUICE_API_KEY) points everything at a gateway that already runs. It is asked for its built-in
 * simulator then; what needs our own providers behind it is reported as absent.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type RawProvider, startRawProvider } from "./raw-provider.ts"
import { PROVIDER_KINDS } from "./transcripts.ts"

const SLUICE = resolve(import.meta.dirname, "../packages/cli/bin/sluice")
process.once("SIGTERM", () => process.exit(143))

const READY = / listening on (http:\/\/\S+)\n/
const OUTSIDE = process.env["SLUICE_URL"]

export interface Target {
  /** The gateway's address, without a mount. */
  readonly url: string
  readonly key: string
  /** The same simulator without a gateway before it: what an answer should be is asked of it. */
  readonly simUrl: string
  /** A simulator's model by its script; every call of this makes a model that no other call has. */
  model(script: string): string
  /** What stands behind the gateway; undefined where the gateway is somebody else's. */
  readonly behind: Behind | undefined
  stop(): Promise<void>
}

export interface Behind {
  /** Reached as the provider `raw`, and as `raw-<kind>` for each kind of provider. */
  readonly raw: RawProvider
  /** The simulator's line about its call for this model, once it is written. */
  journalOf(model: string): Promise<JournalLine>
}

export interface JournalLine {
  readonly model: string | null
  readonly prompt_tokens: number
  readonly completion_tokens: number
  /** What truly left. */
  readonly tokens: number
  readonly ended: string
}

/** For a test that waits for what may never come. */
export const LIMIT = { timeout: 30_000 }

/** Why a test that needs `behind` could not be made: printed, and not counted as passed. */
export const NOTHING_BEHIND = "absent: providers of our own behind the gateway at SLUICE_URL"

export async function startTarget(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-conformance-"))
  const journal = join(folder, "journal")
  writeFileSync(journal, "")
  const sim = await start(["sim", "--port", "0", "--journal", journal], {})
  const gateway =
    OUTSIDE === undefined ? await orElse(startGateway(folder, sim.url), () => sim.stop()) : undefined
  let calls = 0
  return {
    url: gateway?.url ?? OUTSIDE!.replace(/\/+$/, ""),
    key: gateway === undefined ? (process.env["SLUICE_API_KEY"] ?? "") : KEY,
    simUrl: sim.url,
    model(script) {
      calls += 1
      return `${gateway === undefined ? "sim" : "books/sim"}/story:seed=${calls}${script === "" ? "" : ","}${script}`
    },
    behind: gateway && { raw: gateway.raw, journalOf: (model) => lineOf(journal, model) },
    async stop() {
      await gateway?.stop()
      await sim.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The simulator's own name for a model that is asked for at the gateway. */
export function simModel(model: string): string {
  return model.replace(/^books\//, "")
}

const KEY = "sk-conformance"

async function startGateway(folder: string, simUrl: string) {
  const raw = await startRawProvider()
  const config = join(folder, "sluice.yaml")
  writeFileSync(
    config,
    `defaults: { retries: 0 }
providers:
  books: { kind: openai-compatible, base_url: ${simUrl}/v1, credential: none }
  raw: { kind: openai-compatible, base_url: ${raw.baseUrl}, credential: none }
${PROVIDER_KINDS.map((kind) => `  raw-${kind}: { kind: ${kind}, base_url: ${raw.baseUrl}, credential: none }\n`).join("")}`,
  )
  const args = ["serve", "--port", "0", "--config", config]
  const environment = { SLUICE_API_KEY: KEY, SLUICE_DATA: join(folder, "data") }
  const process = await orElse(start(args, environment), () => raw.close())
  return {
    url: process.url,
    raw,
    async stop() {
      // First what it waits for: a gateway that is stopped lets running calls finish.
      await raw.close()
      await process.stop()
    },
  }
}

/** A start that fails leaves nothing of what was started before it. */
async function orElse<Value>(starting: Promise<Value>, undo: () => Promise<void>): Promise<Value> {
  try {
    return await starting
  } catch (error) {
    await undo()
    throw error
  }
}

/** Resolves when the process has said where it listens. */
function start(
  args: readonly string[],
  environment: Record<string, string>,
): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(SLUICE, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const end = (): void => void child.kill("SIGTERM")
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()))
  // A test file that is stopped half-way must not leave it behind.
  process.once("exit", end)
  void gone.then(() => process.off("exit", end))
  let printed = ""
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    void gone.then(() => reject(new Error(`'sluice ${args.join(" ")}' has ended:\n${printed}`)))
    const hear = (text: string): void => {
      printed += text
      const url = READY.exec(printed)?.[1]
      if (url === undefined) return
      resolve({
        url,
        stop() {
          end()
          return gone
        },
      })
    }
    child.stdout.setEncoding("utf8").on("data", hear)
    child.stderr.setEncoding("utf8").on("data", hear)
  })
}

function lineOf(journal: string, model: string): Promise<JournalLine> {
  const wanted = simModel(model)
  const find = (): JournalLine | undefined =>
    readFileSync(journal, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line): JournalLine => JSON.parse(line))
      .find((line) => line.model === wanted)
  return new Promise((resolve) => {
    const look = (): void => {
      const line = find()
      if (line === undefined) return
      watcher.close()
      resolve(line)
    }
    // Watched before it is read: what is written in between is seen by one of the two.
    const watcher = watch(journal, { persistent: false }, look)
    look()
  })
}
