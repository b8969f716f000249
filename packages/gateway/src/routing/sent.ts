/** What of a request goes to a candidate: without what this gateway does itself, and with what is its vendor's to do. */
import { type ChatRequest, isObject, type JsonObject } from "@sluice/protocol"
import type { Candidate } from "./plan.ts"
import type { Wanted } from "./wanted.ts"

export interface Sent {
  /** Canonical, with the provider's own name for the model. */
  readonly upstream: ChatRequest
  readonly body: JsonObject
  /** Members that are neither done here nor known there. */
  readonly dropped: readonly string[]
}

/** Members that steer among the places behind a vendor, or are kept in its own books: done here and there. */
const VENDORS_TOO: Readonly<Record<string, readonly (keyof ChatRequest)[]>> = {
  openrouter: ["provider", "session_id"],
  orq: ["name", "orq"],
}

export function sentTo(
  candidate: Candidate,
  request: ChatRequest,
  { honoured, dropped: read }: Pick<Wanted, "honoured" | "dropped">,
): Sent {
  const { dialect } = candidate.provider
  const upstream: ChatRequest = { ...request, model: candidate.model }
  const vendors = VENDORS_TOO[dialect.name] ?? []
  for (const name of honoured as ReadonlySet<keyof ChatRequest>)
    if (!vendors.includes(name)) delete upstream[name]
  if (vendors.includes("orq") && isObject(upstream.orq)) upstream.orq = withoutDone(upstream.orq)
  const { body, dropped } = dialect.writeRequest(upstream)
  const unused = vendors.length === 0 ? read : read.filter((name) => !vendors.includes(memberOf(name)))
  return { upstream, body, dropped: unused.length === 0 ? dropped : [...unused, ...dropped] }
}

/** Of Orq's older envelope: a model that we fall back to must not be fallen back to twice. */
function withoutDone({
  fallbacks: _,
  retry: __,
  load_balancer: ___,
  timeout: ____,
  ...rest
}: JsonObject): JsonObject {
  return rest
}

function memberOf(path: string): keyof ChatRequest {
  return path.split(".", 1)[0] as keyof ChatRequest
}
