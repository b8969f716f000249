/** `sluice sim`: the simulator alone, until a signal comes. */
import { once } from "node:events"
import { startSimServer } from "@sluice/gateway"
import { expectWords, readFlags, readWhole } from "./flags.ts"

const FLAGS = {
  port: { type: "string" },
  journal: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const

const HELP = `usage: sluice sim [options]

  --port N         the port on 127.0.0.1 (default 4100; 0 takes a free one)
  --journal FILE   append a line of JSON for every request, when it is over

An OpenAI-compatible server whose answers are made up, the same every time, and ordered by the model's name:
sim/<name>:key=value,… Its keys: tokens=64, ttft=0, gap=0 (ms), seed=1, reasoning=0, tools=0, usage=yes|none;
faults: cut=k, stall=k, error_at=k (after the k-th data event), error=<status>, retry_after=<seconds>.

It is ready when it prints 'sluice sim listening on <url>'. SIGTERM stops it.
`

export async function sim(args: string[]): Promise<number> {
  const { flags, words } = readFlags(args, FLAGS)
  if (flags.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  expectWords(words, [], "sluice sim --port 4100")
  const port = readWhole("--port", flags.port, 0, 65_535) ?? 4_100

  try {
    const server = await startSimServer({ port, journal: flags.journal })
    process.stdout.write(`sluice sim listening on ${server.url}\n`)
    await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")])
    await server.close()
    return 0
  } catch (error) {
    return misuse(error)
  }
}

function misuse(why: unknown): number {
  process.stderr.write(`sluice sim: ${why instanceof Error ? why.message : why}\n`)
  return 2
}
