/** The layers laid over each other: built-in values, the file's defaults, a route's own; flags over the file's server. */
import { resolve } from "node:path"
import type { CandidateConfig, Config, ProviderConfig, RouteSettings } from "../config.ts"
import type { KnownProvider } from "../providers/known-provider.ts"
import { KNOWN_PROVIDERS, knownProvider } from "../providers/known-providers.ts"
import { isHeaderText, readCredentials } from "./credentials.ts"
import { type ConfigFile, isHost, type WrittenRoute } from "./file.schema.ts"
import type { Environment } from "./interpolate.ts"
import { settlePrices } from "./prices.ts"
import { type Problems, show } from "./problems.ts"
import { createSecret, type Secret } from "./secret.ts"

export interface Flags {
  readonly port?: number | undefined
  readonly host?: string | undefined
  /** The configuration file. */
  readonly config?: string | undefined
}

export interface Layers {
  readonly file: string | undefined
  /** What the file says; undefined without one. */
  readonly written: ConfigFile | undefined
  readonly environment: Environment
  readonly flags: Flags
  readonly folder: string
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE

const BUILT_IN: RouteSettings = {
  strategy: "ordered",
  timers: { connect: 5 * SECOND, firstContent: 10 * MINUTE, idle: 5 * MINUTE, total: 30 * MINUTE },
  retries: 0,
  onDisconnect: { rule: "cancel" },
  continuation: "off",
  commit: "content",
}

export function settleConfig(layers: Layers, problems: Problems): Config {
  const { file, written, environment, flags, folder } = layers
  const notes: string[] = []
  checkFlags(flags, problems)
  const defaults = settleRoute(written?.defaults ?? {}, BUILT_IN)
  return freeze({
    file,
    providers: file === undefined ? providersOf(environment, notes) : providersIn(written),
    models: Object.entries(written?.models ?? {}).map(([name, route]) => ({
      name,
      candidates: route.candidates.map(
        ({ provider, model, weight = 1 }): CandidateConfig => ({ provider, model, weight }),
      ),
      ...settleRoute(route, defaults),
    })),
    prices: settlePrices(written?.prices),
    unpriced: written?.unpriced ?? "refuse",
    defaults,
    streams: {
      durability: written?.streams?.durability ?? "process",
      keep: written?.streams?.keep ?? 10 * MINUTE,
      maxBytes: written?.streams?.max_bytes ?? 8 * 1024 ** 2,
      totalBytes: written?.streams?.total_bytes ?? 1024 ** 3,
      keepContent: written?.streams?.keep_content ?? 7 * DAY,
    },
    server: {
      host: flags.host ?? written?.server?.host ?? "127.0.0.1",
      port: flags.port ?? written?.server?.port ?? 4000,
      bodyLimit: written?.server?.body_limit ?? 32 * 1024 ** 2,
      heartbeat: written?.server?.heartbeat ?? 15 * SECOND,
      drain: written?.server?.drain ?? 30 * SECOND,
      cors: written?.server?.cors ?? [],
    },
    keys: keysOf(environment, problems),
    databaseUrl: environment["DATABASE_URL"] ? createSecret(environment["DATABASE_URL"]) : undefined,
    dataFolder: resolve(folder, environment["SLUICE_DATA"] || "sluice-data"),
    notes,
  })
}

function checkFlags({ host, port }: Flags, problems: Problems): void {
  if (host !== undefined && !isHost(host)) {
    problems.add(
      undefined,
      "--host",
      `expected a host name or address, such as 127.0.0.1; found ${show(host)}`,
    )
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    problems.add(undefined, "--port", `expected a whole number from 0 to 65535; found ${show(port)}`)
  }
}

/** Timers merge singly: a route that names one keeps the others of the layer below. */
function settleRoute(written: WrittenRoute, below: RouteSettings): RouteSettings {
  const { timers } = written
  return {
    strategy: written.strategy ?? below.strategy,
    timers: {
      connect: timers?.connect ?? below.timers.connect,
      firstContent: timers?.first_content ?? below.timers.firstContent,
      idle: timers?.idle ?? below.timers.idle,
      total: timers?.total ?? below.timers.total,
    },
    retries: written.retries ?? below.retries,
    onDisconnect: written.on_disconnect ?? below.onDisconnect,
    continuation: written.continuation ?? below.continuation,
    commit: written.commit ?? below.commit,
  }
}

function providersIn(written: ConfigFile | undefined): ProviderConfig[] {
  return Object.entries(written?.providers ?? {}).map(([name, provider]) => {
    const known = knownProvider(provider.kind)
    return {
      name,
      kind: provider.kind,
      // The file has been checked: where there is no entry that has one, it has.
      baseUrl: provider.base_url ?? known?.baseUrl ?? "",
      credentials: provider.credential ?? [],
      prefill: provider.prefill ?? known?.supports.prefill === "yes",
      http2: provider.http2 ?? false,
      policy: { dataCollection: provider.data_collection, zdr: provider.zdr ?? false },
    }
  })
}

/** A key in the environment switches its provider on. One that cannot be used must not keep the gateway from starting. */
function providersOf(environment: Environment, notes: string[]): ProviderConfig[] {
  return KNOWN_PROVIDERS.flatMap((known) => {
    const variable = known.variables.find((name) => environment[name]?.trim())
    if (variable === undefined) return []
    const provider = providerOf(known, environment[variable] ?? "")
    if (typeof provider !== "string") return [provider]
    notes.push(`${variable} is set, but ${provider}`)
    return []
  })
}

/** Or why it cannot be. */
function providerOf(
  { name, baseUrl, example, supports }: KnownProvider,
  written: string,
): ProviderConfig | string {
  if (baseUrl === undefined) {
    return `${name} needs an address of your own: name it in sluice.yaml, with kind ${name} and base_url ${example}`
  }
  const credentials = readCredentials(written.trim())
  if (credentials === undefined) return "no key: it has spaces or unprintable characters"
  const prefill = supports.prefill === "yes"
  const policy = { dataCollection: undefined, zdr: false }
  return { name, kind: name, baseUrl, credentials, prefill, http2: false, policy }
}

function keysOf(environment: Environment, problems: Problems): Config["keys"] {
  const read = (variable: string): Secret | undefined => {
    const value = environment[variable]?.trim()
    if (!value) return undefined
    if (isHeaderText(value)) return createSecret(value)
    problems.add(
      undefined,
      variable,
      "expected a key of printable characters without spaces; found something else, not shown here",
    )
    return undefined
  }
  const api = read("SLUICE_API_KEY")
  const admin = read("SLUICE_ADMIN_KEY")
  if (api !== undefined && api.reveal() === admin?.reveal()) {
    problems.add(
      undefined,
      "SLUICE_ADMIN_KEY",
      "must differ from SLUICE_API_KEY: every client would be an admin",
    )
  }
  return { api, admin }
}

function freeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    for (const inside of Object.values(Object.freeze(value))) freeze(inside)
  }
  return value
}
