/** Configuration in, a running gateway out. */
import { readFileSync } from "node:fs"
import { openKeys } from "./auth/stored-keys.ts"
import {
  type Config,
  ConfigError,
  describeConfig,
  describeEngine,
  isLoopback,
  loadConfig,
  pricesOf,
  restartNeeded,
  watchConfig,
} from "./config.ts"
import type { Books, Gateway } from "./gateway.ts"
import { createHeart } from "./http/heartbeat.ts"
import { closeOrphans, interrupted, lost } from "./interrupt.ts"
import { createHolds } from "./limits/hold.ts"
import { createRatios } from "./limits/ratios.ts"
import { createHttpPool } from "./providers/http/pool.ts"
import { findEngines, LOCAL_ENGINES, type LocalEngine } from "./providers/local-engines.ts"
import { pricedName } from "./providers/sim-grammar.ts"
import { createHealth } from "./routing/health.ts"
import { createSessions } from "./routing/sessions.ts"
import { listen } from "./server.ts"
import { addEnvironmentKeys, keyToShow, welcome } from "./start/first-key.ts"
import { type Kept, limitsOf, rowsOfUnended, takeDataFolder } from "./start/kept.ts"
import { compileRoutes, namesIn, withEngines } from "./start/routes.ts"
import { enterSlips } from "./start/slips.ts"
import type { Fault } from "./store/fault.ts"
import { createStreams } from "./streams/streams.ts"
import { createMetrics } from "./telemetry/count.ts"

export interface StartOptions {
  readonly flags: { readonly port?: number; readonly host?: string; readonly config?: string }
  readonly environment: Record<string, string | undefined>
  readonly say: (line: string) => void
  readonly warn: (line: string) => void
  /** Whoever reads `say` is a person. */
  readonly terminal: boolean
  /** For tests. */
  readonly fault?: Fault
  /** For tests: where engines on this machine are looked for. */
  readonly engines?: readonly LocalEngine[]
}

export interface RunningGateway {
  readonly url: string
  /** Calls run. */
  isBusy(): boolean
  /** Says how many streams it cut. */
  drain(milliseconds: number): Promise<number>
  close(): Promise<void>
  /** Drains at SIGTERM or SIGINT, stops at a second one; gives the exit code. */
  untilSignal(): Promise<number>
}

const SWEEP_EVERY = 5_000

export async function startGateway(options: StartOptions): Promise<RunningGateway> {
  const asked = { flags: options.flags, environment: options.environment }
  const config = loadConfig(asked)
  const kept = await takeDataFolder(config, options)
  try {
    return await startKeeping(kept, config, asked, options)
  } catch (error) {
    await kept.close()
    throw error
  }
}

async function startKeeping(
  kept: Kept,
  config: Config,
  asked: Pick<StartOptions, "flags" | "environment">,
  options: StartOptions,
): Promise<RunningGateway> {
  const pool = createHttpPool()
  const { store } = kept
  const keys = await openKeys(store, { log: options.warn })
  const shownKey = await addEnvironmentKeys(keys, config, store)
  const books: Books = {
    store,
    holds: createHolds(store, createRatios()),
    posts: kept.log.outlives,
    prices: pricesOf(config),
    unpriced: config.unpriced,
    keepContent: config.streams.keepContent,
  }
  await enterSlips(kept)
  const settled = await rowsOfUnended(kept)
  const streams = createStreams({
    log: kept.log,
    sweepEvery: SWEEP_EVERY,
    lost,
    interrupted: (stream) => interrupted(stream, settled.get(stream.id)),
  })
  const health = createHealth()
  let named = namesIn(config)
  const metrics = createMetrics({
    version: ownVersion(),
    nameOf: pricedName,
    isRoute: (name) => named.routes.has(name),
    isKnown: (provider, model) => named.candidates.has(`${provider}/${model}`),
    streams: () => ({
      running: streams.running().length,
      kept: kept.log.size,
      bytes: kept.log.bytes,
      writable: streams.trouble === undefined,
    }),
    breakers: health.breakers,
  })
  await closeOrphans({ books, streams, metrics }, [...settled.values()])
  const tidying = tidyBooks({ books, streams, metrics }, options.warn)
  const gateway: Gateway = {
    keys,
    streams,
    books,
    metrics,
    heart: createHeart(config.server.heartbeat),
    origins: { loopback: isLoopback(config.server.host), cors: config.server.cors },
    routes: compileRoutes(config, pool),
    health,
    sessions: createSessions(),
    limits: { bodyBytes: config.server.bodyLimit },
    draining: false,
    log: options.warn,
  }
  const watch = config.file === undefined ? undefined : watchConfig(config.file, reload)
  const listening = await listen(gateway, config.server.host, config.server.port)
  const engines = config.file === undefined ? (options.engines ?? LOCAL_ENGINES) : []
  const found = await findEngines(engines, Number(new URL(listening.url).port), pool)
  gateway.routes = withEngines(gateway.routes, found, pool)
  for (const line of [...describeConfig(config), ...found.map(describeEngine)]) options.say(line)
  options.say(welcome(listening.url, keyToShow(config, shownKey, options.terminal)))

  /** The file was saved: new calls get the new routes, running ones keep theirs; a mistake changes nothing. */
  function reload(text: Uint8Array): void {
    try {
      const wanted = loadConfig({
        ...asked,
        text,
        ...(config.file === undefined ? {} : { file: config.file }),
      })
      takeEffect(wanted)
      const waiting = restartNeeded(config, wanted)
      const rest = waiting.length === 0 ? "" : `; a restart is needed for ${waiting.join(", ")}`
      options.say(`sluice: configuration reloaded${rest}`)
    } catch (error) {
      // Whatever is wrong with a file, or with us: it must not end the streams that run.
      const fault = error instanceof Error ? error.name : "unknown"
      const why =
        error instanceof ConfigError ? error.message : `a fault of its own (${fault}); please report it`
      options.warn(`sluice: ${why}\nsluice: the running configuration stays`)
    }
  }

  /** All that does not need a restart. A setting that is not taken here needs `restart` among its facts. */
  function takeEffect(wanted: Config): void {
    const routes = compileRoutes(wanted, pool)
    const prices = pricesOf(wanted)
    gateway.routes = routes
    named = namesIn(wanted)
    books.prices = prices
    books.unpriced = wanted.unpriced
    books.keepContent = wanted.streams.keepContent
    kept.log.limits = limitsOf(wanted)
  }

  async function close(): Promise<void> {
    watch?.close()
    clearInterval(tidying)
    await listening.close()
    metrics.close()
    pool.close()
    await kept.close()
  }

  return {
    url: listening.url,
    isBusy: () => streams.running().length > 0,
    async drain(milliseconds) {
      watch?.close()
      const cut = await listening.drain(milliseconds)
      clearInterval(tidying)
      metrics.close()
      pool.close()
      await kept.close()
      return cut
    },
    close,
    async untilSignal() {
      await signal()
      options.say("sluice: finishing what runs; a second signal stops at once")
      const now = signal().then(() => Number.NaN)
      const cut = await Promise.race([listening.drain(config.server.drain), now])
      clearInterval(tidying)
      await kept.close()
      return cut === 0 ? 0 : 1
    },
  }
}

/** Content goes when its time is over; rows that a process has left open are closed when it is known to be gone. */
function tidyBooks(
  parts: Pick<Gateway, "books" | "streams" | "metrics">,
  warn: (line: string) => void,
): NodeJS.Timeout {
  const failed = (error: unknown): void => warn(`sluice: the books could not be tidied: ${error}`)
  const { store } = parts.books
  return setInterval(() => {
    store.deleteExpired(Date.now()).catch(failed)
    // SQLite has one process: what the one before has left was closed at the start.
    if (store.kind === "postgres") closeOrphans(parts).catch(failed)
  }, SWEEP_EVERY).unref()
}

function ownVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8")
  return (JSON.parse(manifest) as { version: string }).version
}

function signal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve)
    process.once("SIGINT", resolve)
  })
}
