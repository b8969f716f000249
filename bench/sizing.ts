/**
 * What a stream costs while it is open, for docs/operations.md: memory and file descriptors of the gateway, bytes on the
 * disk. The provider is the simulator behind HTTP, which sends so many events and then says nothing, so that all streams
 * are open at the same time and none of them moves while the gateway is looked at.
 *
 * How it avoids fooling itself: each case has a gateway of its own; every client has read every event before anything
 * is measured; the idle gateway that is subtracted has been warmed up with as many streams, one after another.
 */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import http from "node:http"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { type Child, start } from "./children.ts"
import type { Goal } from "./goal.ts"
import { memoryOf } from "./relay/machine.ts"

export const usage = `npm run bench -- sizing [options]

  --streams N   open at once (default 500)`

const SLUICE = resolve(import.meta.dirname, "../packages/cli/bin/sluice")
const KEY = "sk-sizing"
const EVENTS = [20, 400] as const
/** One after another: the warm-up, and enough rows that the tables' own pages do not count. */
const CALLS = 2_000
const AT_ONCE = 20
/** What is garbage right after the last event is mostly gone then. */
const SETTLE = 5_000
const INSPECTOR = pathToFileURL(join(import.meta.dirname, "soak/inspector.ts"))

export async function run(options: readonly string[]): Promise<readonly Goal[]> {
  const { values } = parseArgs({
    args: [...options],
    options: { streams: { type: "string", default: "500" } },
  })
  const streams = Number(values.streams)
  if (!(Number.isInteger(streams) && streams >= 1))
    throw new RangeError("--streams takes a whole number from 1 on")
  console.log(`${streams} streams at once, Node ${process.version}\n`)
  for (const events of EVENTS) await measure(streams, events)
  return []
}

async function measure(streams: number, events: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-sizing-"))
  const children: Child[] = []
  try {
    const far = await start([SLUICE, "sim", "--port", "0"])
    children.push(far)
    const farUrl = (await far.said(/^sluice sim listening on (\S+)$/m))[1]!
    const config = join(folder, "sluice.yaml")
    writeFileSync(
      config,
      `providers: { far: { kind: openai-compatible, base_url: "${farUrl}/v1", credential: none } }\n`,
    )
    const data = join(folder, "data")
    const gateway = await start([SLUICE, "serve", "--port", "0", "--config", config], {
      environment: {
        NODE_OPTIONS: `--expose-gc --import ${INSPECTOR}`,
        SLUICE_API_KEY: KEY,
        SLUICE_DATA: data,
      },
    })
    children.push(gateway)
    const url = (await gateway.said(/^sluice listening on (\S+)$/m))[1]!

    for (let call = 0; call < CALLS; call += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, () => open(url, "far/sim/story:tokens=4", Infinity)))
    await sleep(SETTLE)
    const idle = await look(gateway, data)
    const opened = await Promise.all(
      Array.from({ length: streams }, () =>
        open(url, `far/sim/story:tokens=${events * 2},stall=${events}`, events),
      ),
    )
    await sleep(SETTLE)
    const full = await look(gateway, data)
    const perStream = (after: number, before: number): number => (after - before) / streams
    console.log(
      [
        `${events} events each`,
        `  memory       ${(perStream(full.live, idle.live) * 1_024).toFixed(0)} KB a stream after a collection; RSS ${idle.resident.toFixed(0)} MB idle, ${full.resident.toFixed(0)} MB full`,
        `  descriptors  ${idle.descriptors} idle: ${perStream(full.descriptors, idle.descriptors).toFixed(2)} a stream`,
        `  journal      ${(perStream(full.journal, idle.journal) / events).toFixed(0)} bytes an event`,
      ].join("\n"),
    )
    for (const leave of opened) leave()
    await gateway.stop()
    // Stopped, what stood in the write-ahead log is in the file.
    const books = sizeOf(data, /^sluice\.db/) / (CALLS + streams)
    console.log(`  books        ${books.toFixed(0)} bytes a call\n`)
  } finally {
    for (const child of children) if (child.running) await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function look(gateway: Child, data: string) {
  const answer = gateway.next(/^open (.*)$/m)
  gateway.signal("SIGUSR2")
  const { heapMegabytes, externalMegabytes } = JSON.parse((await answer)[1]!) as Record<string, number>
  return {
    live: (heapMegabytes ?? 0) + (externalMegabytes ?? 0),
    resident: memoryOf([gateway.pid], "VmRSS"),
    descriptors: readdirSync(`/proc/${gateway.pid}/fd`).length,
    journal: sizeOf(join(data, "streams"), /\.journal$/),
  }
}

function sizeOf(folder: string, names: RegExp): number {
  return readdirSync(folder)
    .filter((name) => names.test(name))
    .reduce((total, name) => total + statSync(join(folder, name)).size, 0)
}

/** Opens a stream and resolves when so many events have been read, or all; gives what closes it. */
function open(url: string, model: string, events: number): Promise<() => void> {
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "Hello" }] })
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}/v1/chat/completions`, {
      method: "POST",
      agent: false,
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
    })
    request.once("error", reject)
    request.once("response", (response) => {
      let seen = 0
      let text = ""
      response.setEncoding("utf8").on("data", (piece: string) => {
        text = `${text.slice(-4)}${piece}`
        seen += text.split("\nid: ").length - 1 + (seen === 0 && text.startsWith("id: ") ? 1 : 0)
        text = text.slice(-4)
        if (seen >= events) resolve(() => request.destroy())
      })
      response.once("end", () => {
        if (response.statusCode === 200 && events === Infinity) resolve(() => {})
        else reject(new Error(`${model}: ${response.statusCode} after ${seen} events: ${text}`))
      })
    })
    request.end(body)
  })
}
