/**
 * What a start would meet, looked at without starting: each check gives what it found, in words, and what to do about
 * it. Nothing is made, taken or changed, no credential is shown, and only providers are asked over the network.
 */
import { accessSync, constants, existsSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { dirname, join, resolve } from "node:path"
import { hasDevKey } from "./auth/dev-key.ts"
import { type Config, ConfigError, isLoopback, loadConfig, type Problem, pricesOf } from "./config.ts"
import { isDataFolderTaken } from "./data-lock.ts"
import { askProvider } from "./doctor/ask-provider.ts"
import { createHttpPool } from "./providers/http/pool.ts"
import { findEngines, LOCAL_ENGINES, type LocalEngine } from "./providers/local-engines.ts"
import { type DatabaseState, inspectDatabase } from "./store/inspect.ts"
import { StoreError } from "./store/store-error.ts"

export interface Finding {
  /** What was looked at: `configuration`, `provider openai`. */
  readonly subject: string
  /** `notable`: it would start, and somebody should know. `bad`: it would not start, or calls would fail. */
  readonly state: "good" | "notable" | "bad"
  readonly message: string
  /** What to do. */
  readonly hint?: string
  /** Of a mistake in the configuration file. */
  readonly line?: number
}

export interface ExamineOptions {
  readonly flags: {
    readonly port?: number | undefined
    readonly host?: string | undefined
    readonly config?: string | undefined
  }
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Nothing beyond this machine is asked. */
  readonly offline: boolean
  readonly folder?: string
  /** For tests: where engines on this machine are looked for. */
  readonly engines?: readonly LocalEngine[]
}

/** Milliseconds for what has to answer. */
const PATIENCE = 5_000

/** In the order of a start. */
export async function examine(options: ExamineOptions): Promise<Finding[]> {
  const { environment, folder = process.cwd(), offline } = options
  const { config, findings: ofConfiguration } = checkConfiguration(options)
  const dataFolder = config?.dataFolder ?? resolve(folder, environment["SLUICE_DATA"] || "sluice-data")
  const databaseUrl = config?.databaseUrl?.reveal() ?? (environment["DATABASE_URL"] || undefined)
  const owner = takenBy(dataFolder)
  const database = await inspectDatabase(dataFolder, databaseUrl, PATIENCE).catch(storeError)
  const beginning = [
    ...checkNode(),
    ...ofConfiguration,
    checkFolder(dataFolder, owner),
    checkDatabase(database),
  ]
  if (config === undefined) return beginning
  const [port, providers, engines] = await Promise.all([
    checkPort(config, owner !== undefined),
    offline ? [] : Promise.all(config.providers.flatMap(checkProvider)),
    checkEngines(config, options.engines ?? LOCAL_ENGINES),
  ])
  const keys = checkKeys(config, database instanceof StoreError ? 0 : database.keys)
  return [...beginning, ...keys, port, ...providers, ...engines, ...checkPrices(config)]
}

function checkNode(): Finding[] {
  const major = Number(process.versions.node.split(".")[0])
  const message = `Node ${process.versions.node}`
  if (major >= 24) return [{ subject: "node", state: "good", message }]
  const hint =
    "The command 'sluice' fetches one by itself; where another starts it, install Node 24 or newer."
  return [{ subject: "node", state: "bad", message: `${message} is too old`, hint }]
}

function checkConfiguration(options: ExamineOptions): { config?: Config; findings: Finding[] } {
  const subject = "configuration"
  try {
    const config = loadConfig(options)
    const { file, providers, models, notes } = config
    const routes = models.length === 0 ? "" : `, ${counted(models.length, "route")}`
    const message = `${file ?? "no file: the environment decides"}; ${counted(providers.length, "provider")}${routes}`
    return {
      config,
      findings: [
        { subject, state: "good", message },
        ...notes.map((note): Finding => ({ subject, state: "notable", message: note })),
      ],
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { findings: error.problems.map(mistake) }
  }
}

function mistake({ line, path, message }: Problem): Finding {
  return {
    subject: "configuration",
    state: "bad",
    message: path === "" ? message : `${path}: ${message}`,
    ...(line === undefined ? {} : { line }),
  }
}

interface Owner {
  readonly process: string | undefined
}

function takenBy(folder: string): Owner | Error | undefined {
  try {
    return isDataFolderTaken(folder)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function checkFolder(folder: string, owner: Owner | Error | undefined): Finding {
  const subject = "data folder"
  if (owner instanceof Error) {
    const hint = "Give this user the folder, or name another with SLUICE_DATA."
    return { subject, state: "bad", message: `${folder}: its lock cannot be read: ${owner.message}`, hint }
  }
  if (owner !== undefined) {
    const who = owner.process === undefined ? "another sluice" : `another sluice (process ${owner.process})`
    return {
      subject,
      state: "notable",
      message: `${folder} is in use by ${who}`,
      hint: "A second gateway needs a folder of its own: SLUICE_DATA.",
    }
  }
  const standing = nearestFolder(folder)
  const trouble = troubleOf(standing)
  if (trouble !== undefined)
    return {
      subject,
      state: "bad",
      message: `${folder} cannot be used: ${trouble}`,
      hint: "Give this user the folder, or name another with SLUICE_DATA.",
    }
  const message = standing === folder ? `${folder} is free` : `${folder} will be made`
  return { subject, state: "good", message }
}

function nearestFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder))
}

function troubleOf(folder: string): string | undefined {
  try {
    if (!statSync(folder).isDirectory()) return `${folder} is no folder`
    accessSync(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch {
    return `this user may not write into ${folder}`
  }
}

function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  throw error
}

function checkDatabase(database: DatabaseState | StoreError): Finding {
  const subject = "database"
  if (database instanceof StoreError) {
    const hint =
      database.code === "unusable"
        ? "Check DATABASE_URL, and that the database is up."
        : "Its data is left as it is."
    return { subject, state: "bad", message: database.message.replace(/\.$/, ""), hint }
  }
  const { place, version, stepsToCome } = database
  if (version === undefined)
    return { subject, state: "good", message: `${place} is empty: the first start makes its tables` }
  if (stepsToCome === 0) return { subject, state: "good", message: `${place} is at ${version}, the newest` }
  return {
    subject,
    state: "notable",
    message: `${place} is at ${version}: the next start takes ${counted(stepsToCome, "step")} more`,
    hint: "Older versions cannot use it after that. Keep a copy.",
  }
}

function checkKeys({ keys, server, dataFolder }: Config, stored: number): Finding[] {
  const subject = "keys"
  const set = [keys.api && "SLUICE_API_KEY", keys.admin && "SLUICE_ADMIN_KEY"].filter(
    (name) => name !== undefined,
  )
  const inStore = stored === 0 ? [] : [counted(stored, "stored key")]
  const minted = hasDevKey(dataFolder) ? [`one that was minted (${join(dataFolder, "dev-key")})`] : []
  const found = [...set, ...inStore, ...(set.length === 0 ? minted : [])]
  if (set.length + stored === 0 && !isLoopback(server.host))
    return [
      {
        subject,
        state: "bad",
        message: `none, and others can reach ${server.host}: it will not start`,
        hint: "Set SLUICE_API_KEY and SLUICE_ADMIN_KEY.",
      },
    ]
  const message = found.length === 0 ? "none yet: the first start mints one" : found.join(", ")
  const isWithoutAdmin = keys.api !== undefined && keys.admin === undefined
  return [
    { subject, state: "good", message },
    ...(isWithoutAdmin
      ? [
          {
            subject,
            state: "notable",
            message: "no admin key in the environment",
            hint: "Set SLUICE_ADMIN_KEY to use 'sluice keys', 'usage' and 'tail'.",
          } as const,
        ]
      : []),
  ]
}

async function checkPort({ server }: Config, isRunning: boolean): Promise<Finding> {
  const subject = "port"
  const { host, port } = server
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`
  const code = await tryPort(host, port)
  if (code === undefined) return { subject, state: "good", message: `${address} is free` }
  const answers = isRunning && (await isHealthy(`http://${address}`))
  if (answers) return { subject, state: "notable", message: `a gateway is running at ${address}` }
  const hint = PORT_HINTS[code] ?? "Choose another with --port or --host."
  return { subject, state: "bad", message: `${address} cannot be listened on (${code})`, hint }
}

const PORT_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "Another process has it. Choose another with --port.",
  EACCES: "This user may not listen there. Choose one above 1023 with --port.",
  EADDRNOTAVAIL: "This machine has no such address. Choose another with --host.",
  ENOTFOUND: "Nobody knows this name. Choose an address of this machine with --host.",
}

/** Undefined: it can be had. */
function tryPort(host: string, port: number): Promise<string | undefined> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once("error", (error) => resolve("code" in error ? String(error.code) : error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(PATIENCE) }).catch(
    () => undefined,
  )
  await answer?.body?.cancel()
  return answer?.ok === true
}

/** Each of its credentials is tried: one that is refused is found out on a bad day else. */
function checkProvider(provider: Config["providers"][number]): Promise<Finding>[] {
  const { name, credentials } = provider
  const all = credentials.length === 0 ? [undefined] : credentials
  return all.map(async (credential, index) => {
    const which = all.length === 1 ? "" : ` (credential ${index + 1})`
    return { subject: `provider ${name}${which}`, ...(await askProvider(provider, credential, PATIENCE)) }
  })
}

/** A start without a file takes those that it finds. */
async function checkEngines(
  { file, providers, server }: Config,
  engines: readonly LocalEngine[],
): Promise<Finding[]> {
  const pool = createHttpPool()
  const found = file === undefined ? await findEngines(engines, server.port, pool) : []
  pool.close()
  if (found.length + providers.length === 0)
    return [
      {
        subject: "providers",
        state: "notable",
        message: `only the simulator can be asked${file === undefined ? ", and no engine runs on this machine" : ""}`,
        hint: "Set a provider's key, such as OPENAI_API_KEY, or name providers in sluice.yaml.",
      },
    ]
  return found.map(({ name, baseUrl, models }) => ({
    subject: `engine ${name}`,
    state: "good",
    message: `${new URL(baseUrl).host} has ${models.length === 0 ? "no model yet" : counted(models.length, "model")}`,
  }))
}

/** Of what routes name: what else is asked for by its name shows when it is. */
function checkPrices(config: Config): Finding[] {
  const { models, unpriced } = config
  const { priceOf } = pricesOf(config)
  const named = models.flatMap(({ candidates }) => candidates.filter(({ provider }) => provider !== "sim"))
  const known = new Set(named.map(({ provider, model }) => `${provider}/${model}`))
  const lacking = new Set(
    named
      .filter(({ provider, model }) => priceOf(provider, model) === undefined)
      .map(({ provider, model }) => `${provider}/${model}`),
  )
  const subject = "prices"
  if (known.size === 0) return []
  if (lacking.size === 0)
    return [{ subject, state: "good", message: `known for ${counted(known.size, "model")} of routes` }]
  const consequence = unpriced === "refuse" ? "a key with a budget may not call it" : "no budget counts it"
  return [...lacking].map((name) => ({
    subject,
    state: "notable",
    message: `none is known for ${name}: its calls cost 'unknown', and ${consequence}`,
    hint: `Say it under prices in the configuration: "${name}": { input: …, output: … }`,
  }))
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`
}
