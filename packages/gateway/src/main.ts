/** Configuration in, a running gateway out. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Agent } from "undici"
import { devKey, hasDevKey } from "./auth/dev-key.ts"
import type { Keys } from "./auth/keys.ts"
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
import { lockDataFolder } from "./data-lock.ts"
import type { Books, Gateway } from "./gateway.ts"
import { createHeart } from "./http/heartbeat.ts"
import { closeOrphans, interrupted, lost } from "./interrupt.ts"
import { PRICE_TABLE } from "./ledger/prices.ts"
import { createHolds } from "./limits/hold.ts"
import { createRatios } from "./limits/ratios.ts"
import { dialectOf, knownProvider } from "./providers/known-providers.ts"
import { type FoundEngine, findEngines, LOCAL_ENGINES, type LocalEngine } from "./providers/local-engines.ts"
import { createAgent, createHttpProvider } from "./providers/openai-compatible.ts"
import type { Provider } from "./providers/provider.ts"
import { createSimProvider } from "./providers/sim.ts"
import { pricedName } from "./providers/sim-grammar.ts"
import { createHealth } from "./routing/health.ts"
import type { Routes } from "./routing/plan.ts"
import { createSessions } from "./routing/sessions.ts"
import { listen } from "./server.ts"
import type { CallRecord } from "./store/call-record.ts"
import type { Fault } from "./store/fault.ts"
import { openStore } from "./store/open.ts"
import type { Store } from "./store/store.ts"
import { createJournal } from "./streams/disk.ts"
import type { LogLimits, StreamLog } from "./streams/log.ts"
import { createMemoryLog } from "./streams/memory.ts"
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
  const agent = createAgent()
  const { store } = kept
  const keys = await openKeys(store, { log: options.warn })
  const shownKey = await addEnvironmentKeys(keys, config, store)
  const books: Books = {
    store,
    holds: createHolds(store, createRatios()),
    prices: pricesOf(config),
    unpriced: config.unpriced,
    keepContent: config.streams.keepContent,
  }
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
    routes: compileRoutes(config, agent),
    health,
    sessions: createSessions(),
    limits: { bodyBytes: config.server.bodyLimit },
    draining: false,
    log: options.warn,
  }
  const watch = config.file === undefined ? undefined : watchConfig(config.file, reload)
  const listening = await listen(gateway, config.server.host, config.server.port)
  const engines = config.file === undefined ? (options.engines ?? LOCAL_ENGINES) : []
  const found = await findEngines(engines, Number(new URL(listening.url).port), agent)
  gateway.routes = withEngines(gateway.routes, found, agent)
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
    const routes = compileRoutes(wanted, agent)
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
    await agent.destroy()
    await kept.close()
  }

  return {
    url: listening.url,
    async drain(milliseconds) {
      watch?.close()
      const cut = await listening.drain(milliseconds)
      clearInterval(tidying)
      metrics.close()
      await agent.destroy()
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
  return setInterval(() => {
    parts.books.store.deleteExpired(Date.now()).catch(failed)
    closeOrphans(parts).catch(failed)
  }, SWEEP_EVERY).unref()
}

/** What outlives the process: the folder is this one's alone, and what the one before left in it is read. */
interface Kept {
  readonly log: StreamLog
  readonly store: Store
  close(): Promise<void>
}

async function takeDataFolder(
  config: Config,
  { warn, fault }: Pick<StartOptions, "warn" | "fault">,
): Promise<Kept> {
  const lock = lockDataFolder(config.dataFolder)
  let log: StreamLog | undefined
  try {
    log = openLog(config, warn)
    const store = await openStore({
      dataFolder: config.dataFolder,
      databaseUrl: config.databaseUrl?.reveal(),
      durability: config.streams.durability === "power" ? "power" : "process",
      log: (line) => warn(`sluice: ${line}`),
      ...(fault === undefined ? {} : { fault }),
    })
    const kept = { log, store }
    return {
      ...kept,
      async close() {
        await kept.log.close()
        await store.close()
        lock.release()
      },
    }
  } catch (error) {
    await log?.close()
    lock.release()
    throw error
  }
}

/** The rows of streams that the process before has not ended: some of them were settled. */
async function rowsOfUnended({ log, store }: Kept): Promise<Map<string, CallRecord>> {
  const rows = new Map<string, CallRecord>()
  for (const { facts, ending } of log.all()) {
    const row = ending === undefined ? await store.calls.get(facts.id) : undefined
    if (row !== undefined) rows.set(row.id, row)
  }
  return rows
}

function openLog(config: Config, warn: (line: string) => void): StreamLog {
  const { durability } = config.streams
  const limits = limitsOf(config)
  if (durability === "memory") return createMemoryLog(limits)
  return createJournal({
    folder: config.dataFolder,
    level: durability,
    limits,
    warn: (line) => warn(`sluice: ${line}`),
  })
}

/** Models that metrics may name before they have answered: there are only so many in the file and in the price table. */
function namesIn({ models, prices }: Config): { routes: Set<string>; candidates: Set<string> } {
  const candidates = models.flatMap((route) => route.candidates)
  return {
    routes: new Set(models.map(({ name }) => name)),
    candidates: new Set([
      ...candidates.map(({ provider, model }) => `${provider}/${pricedName(provider, model)}`),
      ...prices.keys(),
      ...PRICE_TABLE.map(({ provider, model }) => `${provider}/${model}`),
    ]),
  }
}

function ownVersion(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8")
  return (JSON.parse(manifest) as { version: string }).version
}

function limitsOf({ streams: { keep, maxBytes, totalBytes } }: Config): LogLimits {
  return { keep, maxBytes, totalBytes }
}

function signal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve)
    process.once("SIGINT", resolve)
  })
}

/** Gives the key that is to be shown to whoever has configured and stored none. */
async function addEnvironmentKeys(keys: Keys, config: Config, store: Store): Promise<string | undefined> {
  const { api, admin } = config.keys
  if (api !== undefined) keys.add({ id: "env", admin: false }, api.reveal())
  if (admin !== undefined) keys.add({ id: "admin", admin: true }, admin.reveal())
  if (api !== undefined || admin !== undefined) return undefined
  const stored = (await store.keys.list()).length > 0
  if (!isLoopback(config.server.host)) {
    if (stored) return undefined
    const message = "others can reach this host, so it needs a key of yours: set SLUICE_API_KEY"
    throw new ConfigError(config.file, [{ line: undefined, path: "server.host", message }])
  }
  // One that was minted stays good beside stored keys: it may be what they were made with.
  if (stored && !hasDevKey(config.dataFolder)) return undefined
  const key = devKey(config.dataFolder)
  keys.add({ id: "dev", admin: true }, key)
  return key
}

function compileRoutes(config: Config, agent: Agent): Routes {
  const providers = new Map<string, Provider>([["sim", createSimProvider()]])
  for (const { kind, ...provider } of config.providers) {
    const options = { ...provider, vendor: kind, dialect: dialectOf(kind), door: knownProvider(kind)?.door }
    providers.set(provider.name, createHttpProvider(options, agent))
  }
  const models = new Map(
    config.models.map((route) => {
      // The configuration has been checked: each candidate's provider is there.
      const candidates = route.candidates.map(({ provider, model, weight }) => ({
        provider: providers.get(provider)!,
        model,
        weight,
      }))
      return [route.name, { ...route, candidates }]
    }),
  )
  return { models, providers, defaults: config.defaults }
}

function withEngines(routes: Routes, found: readonly FoundEngine[], agent: Agent): Routes {
  const providers = new Map(routes.providers)
  for (const { name, ...engine } of found) {
    const prefill = knownProvider(name)?.supports.prefill === "yes"
    const policy = { dataCollection: undefined, zdr: false }
    const options = {
      ...engine,
      name,
      vendor: name,
      dialect: dialectOf(name),
      prefill,
      policy,
      credentials: [],
    }
    providers.set(name, createHttpProvider(options, agent))
  }
  return { ...routes, providers }
}

/** In double quotes for a shell. A key of ours is shown to a person at a terminal; a pipe may end in a log. */
function keyToShow(config: Config, minted: string | undefined, terminal: boolean): string {
  if (config.keys.api !== undefined) return "$SLUICE_API_KEY"
  if (config.keys.admin !== undefined) return "$SLUICE_ADMIN_KEY"
  if (minted === undefined) return "<your key>"
  return terminal ? minted : `$(cat ${join(config.dataFolder, "dev-key")})`
}

function welcome(url: string, key: string): string {
  return `
Try it:

  curl -N ${url}/v1/chat/completions -H "authorization: Bearer ${key}" -H 'content-type: application/json' \\
    -d '{"model":"sim/story:gap=30","stream":true,"messages":[{"role":"user","content":"Tell me a story."}]}'

Or look: open ${url}/ in a browser and give it the key.
`
}
