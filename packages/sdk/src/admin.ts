/**
 * `@sluice/sdk/admin`: a gateway's keys, projects, usage and calls. An entry point of its own, so that whoever only
 * streams does not carry it.
 */
import type * as wire from "@sluice/protocol"
import { authorization } from "./authorization.ts"
import { type Camel, toCamel, toSnake } from "./camel.ts"
import { parseJson } from "./parse-json.ts"
import { malformed } from "./read.ts"
import { natureOf } from "./read-error.ts"
import { type Answer, createTransport, type FetchFunction, type Outgoing, readText } from "./request.ts"
import { variable } from "./system.ts"
import { createWatch, listenTo } from "./watch.ts"

export { SluiceError } from "./errors.ts"

export type AdminBudget = Camel<wire.AdminBudget>
export type AdminLimits = Camel<wire.AdminLimits>
export type AdminSpend = Camel<wire.AdminSpend>
export type AdminKey = Camel<wire.AdminKey>
export type AdminKeyCreate = Camel<wire.AdminKeyCreate>
export type AdminKeyPatch = Camel<wire.AdminKeyPatch>
export type AdminKeyRotate = Camel<wire.AdminKeyRotate>
export type AdminKeyWithSecret = Camel<wire.AdminKeyWithSecret>
export type AdminProject = Camel<wire.AdminProject>
export type AdminProjectCreate = Camel<wire.AdminProjectCreate>
export type AdminProjectPatch = Camel<wire.AdminProjectPatch>
export type AdminDeleted = Camel<wire.AdminDeleted>
export type AdminAttempt = Camel<wire.AdminAttempt>
export type AdminCall = Camel<wire.AdminCall>
export type AdminCallFilter = wire.AdminCallFilter
export type AdminCallsQuery = wire.AdminCallsQuery
export type AdminCallEvents = Camel<wire.AdminCallEvents>
export type AdminCallContent = Camel<wire.AdminCallContent>
export type AdminUsage = Camel<wire.AdminUsage>
export type AdminUsageRow = Camel<wire.AdminUsageRow>
export type AdminUsageQuery = wire.AdminUsageQuery

/** A page, and where the next one begins: `cursor: page.next`; null on the last one. */
export interface AdminPage<Item> {
  data: Item[]
  next: string | null
}

export interface SluiceAdminOptions {
  /** The gateway's own address; a `/v1` at its end does no harm. Default: `SLUICE_BASE_URL`. */
  baseURL?: string
  /** An admin key. Default: `SLUICE_ADMIN_KEY`. */
  apiKey?: string
  headers?: Readonly<Record<string, string>>
  fetch?: FetchFunction
  /** How often what only reads is tried again. Default 2. */
  retries?: number
}

export interface AdminOptions {
  signal?: AbortSignal
}

/**
 * A gateway's admin API.
 *
 * @example
 * ```ts
 * import { SluiceAdmin } from "@sluice/sdk/admin"
 *
 * const admin = new SluiceAdmin({ baseURL: "http://127.0.0.1:4000", apiKey: "sk-…" })
 * const { key, secret } = await admin.keys.create({
 *   name: "Ann's laptop",
 *   models: ["openai/gpt-4o*"],
 *   budget: { amountUsd: "20", period: "monthly" },
 * })
 * console.log(`Give this to Ann, it is not shown again: ${secret}`)
 * await admin.keys.patch(key.id, { disabled: true })
 *
 * const usage = await admin.usage({ by: ["time", "model"], from: "2026-01-01" })
 * for (const { group, costUsd } of usage.data) console.log(group.time, group.model, costUsd)
 *
 * for await (const call of admin.calls.all({ ending: "failed" })) console.log(call.id, call.reason)
 * ```
 */
export class SluiceAdmin {
  readonly baseURL: string
  readonly keys: AdminKeys
  readonly projects: AdminProjects
  readonly calls: AdminCalls
  /** Calls, tokens and cost, in groups. */
  readonly usage: (query?: AdminUsageQuery, options?: AdminOptions) => Promise<AdminUsage>
  /** The admin API as an OpenAPI 3.1 document. */
  readonly openApi: (options?: AdminOptions) => Promise<wire.JsonObject>

  constructor(options: SluiceAdminOptions = {}) {
    this.baseURL = rootOf(options.baseURL ?? variable("SLUICE_BASE_URL") ?? "http://127.0.0.1:4000")
    const { ask, download } = connect(this.baseURL, options)
    this.keys = createKeys(ask)
    this.projects = createProjects(ask)
    this.calls = createCalls(ask, download)
    this.usage = async (query, { signal } = {}) =>
      toCamel(await ask<wire.AdminUsage>({ method: "GET", path: "/usage", query, signal }))
    this.openApi = ({ signal } = {}) => ask({ method: "GET", path: "/openapi.json", signal })
  }
}

export interface AdminKeys {
  list(
    query?: { project?: string; limit?: number; cursor?: string },
    options?: AdminOptions,
  ): Promise<AdminPage<AdminKey>>
  /** The secret is in this answer and never again. */
  create(key: AdminKeyCreate, options?: AdminOptions): Promise<AdminKeyWithSecret>
  get(id: string, options?: AdminOptions): Promise<AdminKey>
  /** What is left out stays as it is. */
  patch(id: string, patch: AdminKeyPatch, options?: AdminOptions): Promise<AdminKey>
  /** A new secret; the old one stays good for `graceSeconds`. */
  rotate(id: string, how?: AdminKeyRotate, options?: AdminOptions): Promise<AdminKeyWithSecret>
  delete(id: string, options?: AdminOptions): Promise<AdminDeleted>
}

export interface AdminProjects {
  list(query?: { limit?: number; cursor?: string }, options?: AdminOptions): Promise<AdminPage<AdminProject>>
  create(project: AdminProjectCreate, options?: AdminOptions): Promise<AdminProject>
  get(id: string, options?: AdminOptions): Promise<AdminProject>
  patch(id: string, patch: AdminProjectPatch, options?: AdminOptions): Promise<AdminProject>
  delete(id: string, options?: AdminOptions): Promise<AdminDeleted>
}

export interface AdminCalls {
  /** Newest first. */
  list(query?: AdminCallsQuery, options?: AdminOptions): Promise<AdminPage<AdminCall>>
  /** Every call of a filter, newest first, read page by page. */
  all(filter?: AdminCallFilter, options?: AdminOptions): AsyncIterable<AdminCall>
  /** The same as a file: rows of a table, or a call's JSON on each line. */
  export(
    format: "csv" | "jsonl",
    filter?: AdminCallFilter,
    options?: AdminOptions,
  ): Promise<ReadableStream<Uint8Array>>
  get(id: string, options?: AdminOptions): Promise<AdminCall>
  /** What it sent, while its stream is kept. */
  events(id: string, query?: wire.AdminEventsQuery, options?: AdminOptions): Promise<AdminCallEvents>
  /** What it was about, where its key has that kept. */
  content(id: string, options?: AdminOptions): Promise<AdminCallContent>
}

interface Asked {
  readonly method: Outgoing["method"]
  /** Behind `/admin`. */
  readonly path: string
  readonly query?: object
  readonly body?: unknown
  readonly signal?: AbortSignal
}

type Ask = <Answer extends object>(asked: Asked) => Promise<Answer>

function createKeys(ask: Ask): AdminKeys {
  const at = (id: string) => `/keys/${encodeURIComponent(id)}`
  return {
    list: async (query, { signal } = {}) =>
      toCamel(await ask<wire.AdminPage<wire.AdminKey>>({ method: "GET", path: "/keys", query, signal })),
    create: async (body, { signal } = {}) =>
      toCamel(await ask<wire.AdminKeyWithSecret>({ method: "POST", path: "/keys", body, signal })),
    get: async (id, { signal } = {}) =>
      toCamel(await ask<wire.AdminKey>({ method: "GET", path: at(id), signal })),
    patch: async (id, body, { signal } = {}) =>
      toCamel(await ask<wire.AdminKey>({ method: "PATCH", path: at(id), body, signal })),
    rotate: async (id, body = {}, { signal } = {}) =>
      toCamel(await ask<wire.AdminKeyWithSecret>({ method: "POST", path: `${at(id)}/rotate`, body, signal })),
    delete: async (id, { signal } = {}) =>
      toCamel(await ask<wire.AdminDeleted>({ method: "DELETE", path: at(id), signal })),
  }
}

function createProjects(ask: Ask): AdminProjects {
  const at = (id: string) => `/projects/${encodeURIComponent(id)}`
  return {
    list: async (query, { signal } = {}) =>
      toCamel(
        await ask<wire.AdminPage<wire.AdminProject>>({ method: "GET", path: "/projects", query, signal }),
      ),
    create: async (body, { signal } = {}) =>
      toCamel(await ask<wire.AdminProject>({ method: "POST", path: "/projects", body, signal })),
    get: async (id, { signal } = {}) =>
      toCamel(await ask<wire.AdminProject>({ method: "GET", path: at(id), signal })),
    patch: async (id, body, { signal } = {}) =>
      toCamel(await ask<wire.AdminProject>({ method: "PATCH", path: at(id), body, signal })),
    delete: async (id, { signal } = {}) =>
      toCamel(await ask<wire.AdminDeleted>({ method: "DELETE", path: at(id), signal })),
  }
}

function createCalls(ask: Ask, download: Connection["download"]): AdminCalls {
  const at = (id: string) => `/calls/${encodeURIComponent(id)}`
  const list: AdminCalls["list"] = async (query, { signal } = {}) =>
    toCamel(await ask<wire.AdminPage<wire.AdminCall>>({ method: "GET", path: "/calls", query, signal }))
  return {
    list,
    async *all(filter, options) {
      let cursor: string | undefined
      do {
        const page: AdminPage<AdminCall> = await list({ ...filter, limit: 200, cursor }, options)
        yield* page.data
        cursor = page.next ?? undefined
      } while (cursor !== undefined)
    },
    export: (format, query, { signal } = {}) =>
      download({ method: "GET", path: `/calls.${format}`, query, signal }),
    get: async (id, { signal } = {}) =>
      toCamel(await ask<wire.AdminCall>({ method: "GET", path: at(id), signal })),
    events: async (id, query, { signal } = {}) =>
      toCamel(await ask<wire.AdminCallEvents>({ method: "GET", path: `${at(id)}/events`, query, signal })),
    content: async (id, { signal } = {}) =>
      toCamel(await ask<wire.AdminCallContent>({ method: "GET", path: `${at(id)}/content`, signal })),
  }
}

/** A page of an admin's is not worth more waiting. */
const LONGEST_WAIT_MS = 60_000

interface Connection {
  readonly ask: Ask
  /** Whatever the body is, as it comes. */
  readonly download: (asked: Asked) => Promise<ReadableStream<Uint8Array>>
}

function connect(baseURL: string, { apiKey, headers, fetch, retries = 2 }: SluiceAdminOptions): Connection {
  const transport = createTransport({
    baseURL: `${baseURL}/admin`,
    headers: { ...authorization(apiKey ?? variable("SLUICE_ADMIN_KEY")), ...headers },
    fetch,
  })

  async function call<T>(
    { method, path, query, body, signal }: Asked,
    read: (answer: Answer) => T | Promise<T>,
  ): Promise<T> {
    const watch = createWatch({ total: LONGEST_WAIT_MS })
    const stopListening = listenTo(signal, watch.stop)
    const outgoing: Outgoing = {
      method,
      path: path + search(query),
      ...(body === undefined ? {} : { body: JSON.stringify(toSnake(body)) }),
      watch,
      retries,
      // A key made or rotated twice is a key too many, and one that is deleted twice was not found.
      repeatable: method === "GET" || method === "PATCH",
    }
    return transport(outgoing, read).finally(stopListening)
  }

  return {
    ask: <T extends object>(asked: Asked) => call<T>(asked, readAnswer),
    download: (asked) =>
      call(asked, ({ response, close }) => {
        asked.signal?.addEventListener("abort", close, { once: true })
        return response.body ?? new ReadableStream()
      }),
  }
}

async function readAnswer<T extends object>(answer: Answer): Promise<T> {
  const { text, broken } = await readText(answer)
  if (broken) throw broken
  const value = parseJson(text)
  if (typeof value === "object" && value !== null) return value as T
  throw malformed(natureOf(text), text, {}, " instead of the admin API's answer")
}

/** A list stands with commas; what is undefined is not asked. */
function search(query: object = {}): string {
  const asked = Object.entries(query).filter(([, value]) => value !== undefined)
  return asked.length === 0
    ? ""
    : `?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}`
}

function rootOf(baseURL: string): string {
  return baseURL.replace(/\/+$/, "").replace(/\/v1$/, "")
}
