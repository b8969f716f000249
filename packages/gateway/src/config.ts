/**
 * The configuration: a file, flags and the environment in; plain frozen data out, in milliseconds and bytes. The
 * environment is read here and nowhere else.
 *
 *   file     `--config`, SLUICE_CONFIG, ./sluice.yaml. With one, only its providers and `sim`
 *   without  every known provider whose key is in the environment, and `sim`; local engines are looked for later
 *
 * A mistake is a `ConfigError` that names all of them, each with its line. What stands in which room of `config/`:
 * source (YAML, lines, `${NAME}`), file.schema (settings, and with facts what is told of them), check-file (mistakes),
 * settle (layers), prices, reload, settings and json-schema (the file described, for people and for editors).
 */
import { isUtf8 } from "node:buffer"
import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { checkFile } from "./config/check-file.ts"
import type { Durability, Strategy } from "./config/file.schema.ts"
import type { Environment } from "./config/interpolate.ts"
import type { ConfiguredPrices } from "./config/prices.ts"
import { ConfigError, createProblems, type Problems } from "./config/problems.ts"
import type { Secret } from "./config/secret.ts"
import { type Flags, settleConfig } from "./config/settle.ts"
import { readSource } from "./config/source.ts"
import type { Policy } from "./providers/provider.ts"
import type { Timers } from "./routing/plan.ts"
import type { OnDisconnect } from "./streams/on-disconnect.ts"

export { describeConfig, describeEngine } from "./config/describe.ts"
export { configurationSchema } from "./config/json-schema.ts"
export { pricesOf } from "./config/prices.ts"
export { ConfigError, type Problem } from "./config/problems.ts"
export { restartNeeded, watchConfig } from "./config/reload.ts"
export type { Secret } from "./config/secret.ts"

export interface Config {
  /** As it was named; undefined: there is none, and the environment decides. */
  readonly file: string | undefined
  /** Without `sim`, which is always there. */
  readonly providers: readonly ProviderConfig[]
  readonly models: readonly RouteConfig[]
  /** Before the built-in table's. */
  readonly prices: ConfiguredPrices
  /** What becomes of a call under a budget whose price nobody knows. */
  readonly unpriced: "refuse" | "allow"
  /** For every route, and for plain `provider/model` calls. */
  readonly defaults: RouteSettings
  readonly streams: StreamsConfig
  readonly server: ServerConfig
  readonly keys: { readonly api: Secret | undefined; readonly admin: Secret | undefined }
  /** Absolute: SLUICE_DATA, or `sluice-data` in the working folder. */
  readonly dataFolder: string
  /** Postgres, its password included; undefined: SQLite in the data folder. */
  readonly databaseUrl: Secret | undefined
  /** What whoever starts it should know and need not mend. */
  readonly notes: readonly string[]
}

export interface ProviderConfig {
  readonly name: string
  /** The name of a known provider, or `openai-compatible`. */
  readonly kind: string
  /** What stands before `/chat/completions`. */
  readonly baseUrl: string
  /** Used in turn; none: it takes no credential. */
  readonly credentials: readonly Secret[]
  readonly prefill: boolean
  readonly http2: boolean
  readonly policy: Policy
}

export interface RouteSettings {
  readonly strategy: Strategy
  readonly timers: Timers
  readonly retries: number
  readonly onDisconnect: OnDisconnect
  readonly continuation: "off" | "prefill"
  readonly commit: "content" | "headers"
}

export interface RouteConfig extends RouteSettings {
  readonly name: string
  readonly candidates: readonly CandidateConfig[]
}

export interface CandidateConfig {
  /** A provider's name, or `sim`. */
  readonly provider: string
  readonly model: string
  readonly weight: number
}

export interface StreamsConfig {
  readonly durability: Durability
  /** Milliseconds, from the ending on. */
  readonly keep: number
  readonly maxBytes: number
  readonly totalBytes: number
  /** Milliseconds from the ending on, for what keys with `log_content` have asked and were answered. */
  readonly keepContent: number
}

export interface ServerConfig {
  readonly host: string
  readonly port: number
  readonly bodyLimit: number
  /** Milliseconds, as `drain`. */
  readonly heartbeat: number
  readonly drain: number
  readonly cors: readonly string[]
}

export interface LoadOptions {
  /** The file itself, for a reload: it wins over flag, environment and folder. */
  readonly file?: string
  /** What the file holds, where it has been read already. */
  readonly text?: string | Uint8Array
  readonly environment: Environment
  readonly flags: Flags
  /** Where `sluice.yaml` and the data folder are looked for. */
  readonly folder?: string
}

export function loadConfig(options: LoadOptions): Config {
  const { environment, flags, folder = process.cwd() } = options
  const problems = createProblems()
  const file = options.file ?? findFile(flags, environment, folder)
  const content =
    options.text ?? (file === undefined ? undefined : readBytes(resolve(folder, file), file, problems))
  const text = typeof content === "object" ? decode(content, problems) : content
  const written =
    text === undefined ? undefined : checkFile(readSource(text, environment, problems), problems)
  const config = settleConfig({ file, written, environment, flags, folder }, problems)
  if (problems.list.length > 0) throw new ConfigError(file, problems.list)
  return config
}

/** Whether only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?|\[?::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3}\]?)$/i.test(
    host,
  )
}

function findFile(flags: Flags, environment: Environment, folder: string): string | undefined {
  if (flags.config !== undefined) return flags.config
  if (environment["SLUICE_CONFIG"]) return environment["SLUICE_CONFIG"]
  return existsSync(resolve(folder, "sluice.yaml")) ? "sluice.yaml" : undefined
}

function readBytes(path: string, file: string, problems: Problems): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : ""
    problems.add(undefined, file, UNREADABLE[code] ?? `cannot be read (${code})`)
    return undefined
  }
}

function decode(bytes: Uint8Array, problems: Problems): string | undefined {
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes)
  // A line feed is never a part of another character.
  let line = 1
  for (let begin = 0; ; line++) {
    const end = bytes.indexOf(0x0a, begin)
    if (end < 0 || !isUtf8(bytes.subarray(begin, end))) break
    begin = end + 1
  }
  problems.add(line, "", "this is not UTF-8; save the file in that encoding")
  return undefined
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "is a folder; a file was expected",
}
