/**
 * `npm run bench -- <name> [options]`: one bench, its table, and a line for each goal; the relay where none is named.
 * Exits 1 if a goal is short. What was predicted and what came out is kept in results/log.md.
 */
import { type Goal, goalLine } from "./goal.ts"

interface Bench {
  readonly description: string
  readonly load: () => Promise<Module>
}

interface Module {
  run(options: readonly string[]): Promise<readonly Goal[]>
  /** What `--help` says, where the description does not say it all. */
  readonly usage?: string
}

const BENCHES: Readonly<Record<string, Bench>> = {
  sse: {
    description: "events per second of our decoder beside eventsource-parser's [--rounds N]",
    load: () => import("./sse.ts"),
  },
  micro: {
    description: "nanoseconds and bytes of single operations: an event, a plan, a key (--help for more)",
    load: () => import("./micro.ts"),
  },
  ledger: {
    description:
      "calls a second through the books, and questions to a million of them [--rows N] [--calls N] [--only sqlite]",
    load: () => import("./ledger.ts"),
  },
  books: {
    description: "calls with a fault each: no row of the ledger missing, double or wrong (--help for more)",
    load: () => import("./books.ts"),
  },
  metrics: {
    description: "what metrics add to a call, and a scrape to the event loop",
    load: () => import("./metrics.ts"),
  },
  journal: {
    description: "events a second into the journal, and the start on 1 GB of it (--help for more)",
    load: () => import("./journal.ts"),
  },
  kills: {
    description:
      "kill -9 under 50 streams: what was seen is a prefix, and ready again in 2 s (--help for more)",
    load: () => import("./kills.ts"),
  },
  growth: {
    description: "how cost grows with streams, keys, rows of the ledger and routes (--help for more)",
    load: () => import("./growth.ts"),
  },
  memory: {
    description: "what an open stream takes, idle or with a reader that does not read (--help for more)",
    load: () => import("./memory.ts"),
  },
  start: {
    description: "how long a newcomer waits: from a fresh clone to the first token, and the second start",
    load: () => import("./start.ts"),
  },
  relay: {
    description:
      "what the gateway adds to chat completions, beside nginx and Portkey (relay --help for more); without a name",
    load: () => import("./relay.ts"),
  },
  sizing: {
    description: "memory, descriptors and disk that open streams take [--streams N]",
    load: () => import("./sizing.ts"),
  },
  soak: {
    description:
      "200 streams at once for a minute: no error, flat memory, nothing left open (--help for more)",
    load: () => import("./soak.ts"),
  },
  reloads: {
    description: "1,000 reloads under 100 running streams: none dropped, no memory growth (--help for more)",
    load: () => import("./reloads.ts"),
  },
}

const DEFAULT = "relay"

const given = process.argv.slice(2)
const [name = DEFAULT, ...options] = given[0]?.startsWith("-") ? [DEFAULT, ...given] : given
if (given[0] === "--help") console.log(list())
else {
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (bench === undefined) {
    console.error(`There is no bench called ${name}.\n\n${list()}`)
    process.exitCode = 2
  } else if (options.includes("--help")) console.log((await bench.load()).usage ?? list())
  else {
    const goals = await (await bench.load()).run(options)
    for (const goal of goals) console.log(goalLine(goal))
    if (goals.some((goal) => goal.outcome === "short")) process.exitCode = 1
  }
}

function list(): string {
  const lines = Object.entries(BENCHES).map(([name, { description }]) => `  ${name.padEnd(10)}${description}`)
  return ["npm run bench [-- <name> [options]]", "", ...lines].join("\n")
}
