/**
 * What the four vendors' SDKs have in common (one generator wrote them all): the options of a client and of a call,
 * as far as they mean something here, read as the core's own. Each system's file adds its names and its paths.
 */
import type { CallOptions } from "../chat.ts"
import { Sluice, type SluiceOptions } from "../client.ts"
import type { ChatParams } from "../shapes.ts"
import { ChatStream } from "../stream.ts"
import type { SystemName } from "../system.ts"
import { VendorStream } from "./vendor-stream.ts"
import type { View } from "./view.ts"

export interface VendorOptions {
  /** The vendor's own, or a Sluice gateway's mount for it; then streams resume as well. */
  serverURL?: string
  /** For the whole call, its stream included. */
  timeoutMs?: number
  retryConfig?: RetryConfig
  /** The vendors' clients take an object with a `request` of their own here; this one takes any `fetch`. */
  fetch?: SluiceOptions["fetch"]
}

/** A key, or what gets it: asked before every request. */
export type Credential = string | (() => Promise<string>)

export type RetryConfig = { strategy: "none" } | { strategy: "backoff"; [setting: string]: unknown }

export interface RequestOptions {
  signal?: AbortSignal | null
  headers?: RequestInit["headers"]
  timeoutMs?: number
  retries?: RetryConfig
  fetchOptions?: { signal?: AbortSignal | null; headers?: RequestInit["headers"] }
}

export function vendorClient(
  system: SystemName,
  baseURL: string | undefined,
  credential: Credential | undefined,
  options: VendorOptions,
  headers: Record<string, string | undefined> = {},
): Sluice {
  const { timeoutMs, retryConfig, fetch } = options
  const asked = typeof credential === "function" ? credential : undefined
  return new Sluice({
    system,
    ...(baseURL !== undefined && { baseURL }),
    ...(typeof credential === "string" && { apiKey: credential }),
    headers: withoutUndefined(headers),
    ...(asked ? { fetch: withKeyOf(asked, fetch) } : fetch && { fetch }),
    ...(isSet(timeoutMs) && { timers: { total: timeoutMs } }),
    ...(retryConfig?.strategy === "none" && { retries: 0 }),
  })
}

export function callOptions(
  { signal, headers, timeoutMs, retries, fetchOptions }: RequestOptions = {},
  more: Record<string, string | undefined> = {},
): CallOptions {
  const all = new Headers(withoutUndefined(more))
  for (const given of [fetchOptions?.headers, headers]) {
    new Headers(given).forEach((value, name) => {
      all.set(name, value)
    })
  }
  const heard = signal ?? fetchOptions?.signal
  return {
    ...(heard && { signal: heard }),
    headers: Object.fromEntries(all),
    ...(isSet(timeoutMs) && { timers: { total: timeoutMs } }),
    ...(retries?.strategy === "none" && { retries: 0 }),
  }
}

/** With `path` behind the server's address, unless the address already has it. */
export function joinURL(serverURL: string | undefined, path: string): string | undefined {
  const server = serverURL?.replace(/\/+$/, "")
  return server === undefined || server.endsWith(path) ? server : server + path
}

/** A call as the vendors type it: `stream` says which of the two answers comes. */
export interface VendorCall<Item, Whole> {
  (request: ChatParams & { stream: true }, options?: RequestOptions): Promise<VendorStream<Item, Whole>>
  (request: ChatParams & { stream?: false }, options?: RequestOptions): Promise<Whole>
  (request: ChatParams, options?: RequestOptions): Promise<VendorStream<Item, Whole> | Whole>
}

export function vendorCall<Item, Whole>(client: Sluice, view: View<Item, Whole>): VendorCall<Item, Whole> {
  async function call(request: ChatParams, options?: RequestOptions) {
    const answer = await client.chat.send(unlessAskedWithoutUsage(request), callOptions(options))
    return answer instanceof ChatStream ? new VendorStream(answer, view) : view.whole(answer)
  }
  return call as VendorCall<Item, Whole>
}

/**
 * The vendors' clients ask for usage only when their caller does, and their callers' loops take the first choice of
 * every chunk for granted: which the chunk with the usage does not have.
 */
function unlessAskedWithoutUsage(request: ChatParams): ChatParams {
  const isAsked = "streamOptions" in request || "stream_options" in request
  return isAsked || !request.stream ? request : { ...request, streamOptions: { includeUsage: false } }
}

/** The vendors' clients write −1 for none. */
function isSet(timeoutMs: number | undefined): timeoutMs is number {
  return timeoutMs !== undefined && timeoutMs > 0
}

function withKeyOf(
  key: () => Promise<string>,
  fetch: SluiceOptions["fetch"],
): NonNullable<SluiceOptions["fetch"]> {
  return async (input, init) => {
    const headers = new Headers(init.headers)
    headers.set("authorization", `Bearer ${await key()}`)
    return (fetch ?? globalThis.fetch)(input, { ...init, headers })
  }
}

function withoutUndefined(headers: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
