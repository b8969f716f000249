/** The systems that are spoken to directly: where they live, and what each wants to be different. A table. */
import { type JsonObject, stringOr } from "@sluice/protocol"

/**
 * The systems that the client knows by name.
 *
 * @example
 * ```ts
 * import { Sluice, type SystemName } from "@sluice/sdk"
 *
 * export const clientOf = (system: SystemName) => new Sluice({ system, apiKey: "sk-…" })
 * ```
 */
export type SystemName = "sluice" | "openai" | "openrouter" | "r9s" | "atoma" | "orq"

interface System {
  readonly baseURL: string
  /** Where the key is looked for if none is given. Default: the name in capitals, and `_API_KEY`. */
  readonly keyVariable?: string
  /** What this system's API takes differently from OpenAI's. */
  adjust?(body: JsonObject): JsonObject
}

export const SYSTEMS: Readonly<Record<SystemName, System>> = {
  sluice: { baseURL: "http://127.0.0.1:4000/v1" },
  openai: { baseURL: "https://api.openai.com/v1" },
  openrouter: { baseURL: "https://openrouter.ai/api/v1" },
  r9s: { baseURL: "https://api.r9s.ai/v1" },
  atoma: {
    baseURL: "https://api.atoma.network/v1",
    keyVariable: "ATOMASDK_BEARER_AUTH",
    // Atoma takes an array only.
    adjust: (body) => (stringOr(body["stop"]) === undefined ? body : { ...body, stop: [body["stop"]] }),
  },
  orq: { baseURL: "https://my.orq.ai/v2/router" },
}

const SYSTEM_NAMES = Object.keys(SYSTEMS) as SystemName[]

/** Where a client points to, and whether it may assume a Sluice gateway there. */
export interface Target {
  readonly system: SystemName
  readonly baseURL: string
  readonly isSluice: boolean
}

/**
 * Without `system`, a base URL means a Sluice gateway, unless it is a known system's own host: then that system is
 * meant. With a `system` of somebody else's, the server is taken for a gateway only at one of the gateway's mounts
 * (`…/openrouter/…`), or once an answer of it has carried `sluice-stream-id`.
 */
export function targetOf(options: { system?: SystemName; baseURL?: string }): Target {
  const named = options.system ?? "sluice"
  const given = options.baseURL ?? (named === "sluice" ? variable("SLUICE_BASE_URL") : undefined)
  const owner = given === undefined ? undefined : ownerOf(given)
  const system = options.system ?? owner ?? "sluice"
  const baseURL = (given ?? SYSTEMS[system].baseURL).replace(/\/+$/, "")
  const isMount = owner === undefined && `${baseURL}/`.includes(`/${system}/`)
  return { system, baseURL, isSluice: owner === undefined && (system === "sluice" || isMount) }
}

export function keyOf(system: SystemName): string | undefined {
  return variable(SYSTEMS[system].keyVariable ?? `${system.toUpperCase()}_API_KEY`)
}

/** The runtime's environment variable, where there is an environment. */
export function variable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  return process?.env?.[name] || undefined
}

/** The system whose own host this is. */
function ownerOf(url: string): SystemName | undefined {
  return SYSTEM_NAMES.find((name) => name !== "sluice" && domainOf(SYSTEMS[name].baseURL) === domainOf(url))
}

/** The last two labels: `api.orq.ai` and `my.orq.ai` are one owner's. A path of our own page has no owner. */
function domainOf(url: string): string {
  return new URL(url, "http://localhost").hostname.split(".").slice(-2).join(".")
}
