/**
 * What an open stream costs in memory: one on which nothing happens, and one whose client reads nothing while the
 * provider could send far more than all buffers hold. The provider is behind HTTP, so its side of a stream is paid for.
 *
 * How it avoids fooling itself: a fresh gateway for each round and each kind; a warm-up of whole streams and the first
 * quarter of the others come before the counting, so that what a process needs once is in neither figure; memory is read
 * when nothing moves any more; and the simulator's journal must say that no stream was sent to its end. It is resident
 * memory, what has become garbage on the way included: that is what a machine must have.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import { type Child, start } from "./children.ts"
import type { Goal } from "./goal.ts"
import { cpuMilliseconds } from "./memory/cpu.ts"
import { createStuck, type Stuck } from "./memory/stuck.ts"
import { howBusy, watched } from "./quiet.ts"
import { memoryOf } from "./relay/machine.ts"
import { keepResults } from "./results.ts"
import { median } from "./soak/quarters.ts"
import { expectedText, soak } from "./soak/streams.ts"

export const usage = `npm run bench -- memory [options]

  --streams N   idle streams (default 2000)
  --readers N   readers that do not read (default 100)
  --rounds N    how often each is measured (default 3)
  --keep        keep the figures in bench/results/memory.json`

const SLUICE = resolve(import.meta.dirname, "../packages/cli/bin/sluice")
const KEY = "sk-memory"
/** More than the gateway, both its sockets and the client's hold together. */
const TOKENS = 400_000
const SLOW = `far/sim/slow:tokens=${TOKENS},gap=0`
const IDLE = "far/sim/idle:tokens=10,stall=3"
const GIGABYTE = 1e9
/** Milliseconds in which nothing moves: then memory is read. */
const STILL = 2_000

export interface MemoryAsked {
  readonly streams: number
  readonly readers: number
  readonly rounds: number
  /** Whole streams before the others (default 500). */
  readonly warmUp?: number
}

export interface MemoryResult {
  readonly rounds: number
  readonly busy: number | undefined
  /** One on which nothing happens. */
  readonly streams: { readonly count: number; readonly bytes: number; readonly perGigabyte: number }
  /** One whose client reads nothing. */
  readonly readers: { readonly count: number; readonly bytes: number }
}

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      streams: { type: "string", default: "2000" },
      readers: { type: "string", default: "100" },
      rounds: { type: "string", default: "3" },
      keep: { type: "boolean", default: false },
    },
  })
  const asked = {
    streams: Number(values.streams),
    readers: Number(values.readers),
    rounds: Number(values.rounds),
  }
  if (
    !(
      Object.values(asked).every(Number.isInteger) &&
      asked.streams > 3 &&
      asked.readers > 3 &&
      asked.rounds > 0
    )
  )
    throw new RangeError("--streams and --readers take whole numbers from 4 on, --rounds one from 1 on")
  const { streams, readers, rounds, busy } = await runMemory(asked, (line) => console.log(line))
  console.log(
    `\nan idle stream takes ${(streams.bytes / 1e3).toFixed(1)} KB, so ${Math.round(streams.perGigabyte).toLocaleString("en")} are open in a GB`,
  )
  console.log(`a reader that does not read takes ${(readers.bytes / 1e6).toFixed(2)} MB`)
  console.log(`median of ${rounds} rounds, Node ${process.version}; ${howBusy(busy, rounds)}\n`)
  if (values.keep) await keepResults("memory", { streams, readers, rounds, busy })
  return []
}

export async function runMemory(
  { streams, readers, rounds, warmUp = 500 }: MemoryAsked,
  say: (line: string) => void = () => {},
  wait = true,
): Promise<MemoryResult> {
  const measureAll = async (): Promise<{ idle: number; slow: number }> => {
    const bytes = { idle: [] as number[], slow: [] as number[] }
    for (let round = 1; round <= rounds; round++) {
      bytes.idle.push(await bytesOfEach(IDLE, streams, warmUp))
      bytes.slow.push(await bytesOfEach(SLOW, readers, warmUp))
      say(
        `round ${round}: ${(bytes.idle.at(-1)! / 1e3).toFixed(1)} KB an idle stream, ${(bytes.slow.at(-1)! / 1e6).toFixed(2)} MB a slow reader`,
      )
    }
    return { idle: median(bytes.idle), slow: median(bytes.slow) }
  }
  const { result, busy } = await watched(measureAll, { wait })
  return {
    rounds,
    busy,
    streams: { count: streams, bytes: result.idle, perGigabyte: GIGABYTE / result.idle },
    readers: { count: readers, bytes: result.slow },
  }
}

/** What each of the last three quarters of so many streams has added. */
async function bytesOfEach(model: string, count: number, warmUp: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-memory-"))
  const children: Child[] = []
  let stuck: Stuck | undefined
  try {
    const journal = join(folder, "journal.jsonl")
    writeFileSync(journal, "")
    const far = await start([SLUICE, "sim", "--port", "0", "--journal", journal])
    children.push(far)
    const farUrl = (await far.said(/^sluice sim listening on (\S+)$/m))[1]!
    const gateway = await startGateway(folder, farUrl)
    children.push(gateway)
    const url = (await gateway.said(/^sluice listening on (\S+)$/m))[1]!
    await warm(url, warmUp)
    stuck = createStuck({ url, key: KEY, model })
    const first = Math.ceil(count / 4)
    await stuck.open(first)
    const before = await memoryAtRest(gateway, far)
    await stuck.open(count - first)
    const after = await memoryAtRest(gateway, far)
    if (stuck.faults.length > 0)
      throw new Error(`${stuck.faults.length} of ${count} streams did not stay open: ${stuck.faults[0]}`)
    stuck.leave()
    // Its journal is complete when it has ended.
    await gateway.stop()
    await far.stop()
    checkHeld(readFileSync(journal, "utf8"), model, count)
    return ((after - before) * 2 ** 20) / (count - first)
  } catch (error) {
    const [, gateway] = children
    throw new Error(
      `${error}; the gateway ${gateway?.running ? "runs" : "has ended"}: ${gateway?.output().slice(-1_000)}`,
    )
  } finally {
    stuck?.leave()
    for (const child of children) if (child.running) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function startGateway(folder: string, farUrl: string): Promise<Child> {
  const config = join(folder, "sluice.yaml")
  writeFileSync(
    config,
    `providers:
  far: { kind: openai-compatible, base_url: "${farUrl}/v1", credential: none }
defaults: { timers: { idle: 1h, first_content: 1h, total: 2h } }
`,
  )
  return start([SLUICE, "serve", "--port", "0", "--config", config], {
    environment: { SLUICE_API_KEY: KEY, SLUICE_DATA: join(folder, "data") },
  })
}

async function warm(url: string, streams: number): Promise<void> {
  const asked = { url, key: KEY, model: "far/sim/warm", tokens: 64 }
  const text = await expectedText(asked)
  const running = soak([asked], Math.min(50, streams), () => text)
  while (running.good < streams && running.errors.length === 0) await sleep(50)
  await running.stop()
  if (running.errors.length > 0) throw new Error(`a stream of the warm-up failed: ${running.errors[0]}`)
}

/** Megabytes, when neither side has worked for a while. */
async function memoryAtRest(gateway: Child, far: Child): Promise<number> {
  const pids = [gateway.pid, far.pid]
  for (let still = 0; still < STILL; ) {
    const before = cpuMilliseconds(pids)
    await sleep(250)
    // Ten milliseconds are one tick, which a timer of either may cost.
    still = cpuMilliseconds(pids) - before <= 20 ? still + 250 : 0
  }
  return memoryOf([gateway.pid], "VmRSS")
}

interface JournalLine {
  readonly model: string
  readonly tokens: number
  readonly completion_tokens: number
}

/** No stream may have come to its end: what was held back would then be nothing. */
function checkHeld(journal: string, model: string, count: number): void {
  const all = journal
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as JournalLine)
  const lines = all.filter((line) => model.endsWith(line.model))
  const whole = lines.filter(({ tokens, completion_tokens }) => tokens >= completion_tokens).length
  if (lines.length !== count || whole > 0)
    throw new Error(`${lines.length} of ${count} streams were begun, ${whole} of them were sent to their end`)
}
