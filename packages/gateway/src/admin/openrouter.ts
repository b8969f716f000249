/**
 * OpenRouter's accounting endpoints at its mount, over our own keys and ledger:
 *
 *   GET /key                    what the caller's key is, may spend and has spent
 *   GET /credits                what is left to the caller, of the budgets that bind it
 *   GET /generation?id=         one call's row
 *   GET, POST /keys             the stored keys (admin keys only); a key's `hash` there is our id, which outlives
 *   GET, PATCH, DELETE /keys/…  its secret and tells nothing of it
 *
 * What its types require and a gateway does not know is null, 0 or "".
 */
import type { JsonObject } from "@sluice/protocol"
import type { AuthedCall } from "../call.ts"
import { GatewayError } from "../gateway-error.ts"
import { sendJson } from "../http/answer.ts"
import { storeTrouble } from "../store/trouble.ts"
import { credits, currentKey } from "./openrouter-account.ts"
import { generation } from "./openrouter-generation.ts"
import {
  createOpenRouterKey,
  deleteOpenRouterKey,
  getOpenRouterKey,
  listOpenRouterKeys,
  updateOpenRouterKey,
} from "./openrouter-keys.ts"
import type { AdminPart } from "./part.ts"

type Serve = (call: AuthedCall, part: AdminPart, hash: string) => Promise<JsonObject>

interface Endpoint {
  readonly admin?: true
  readonly status?: number
  readonly serve: Serve
}

const ENDPOINTS: Readonly<Record<string, Readonly<Record<string, Endpoint>>>> = {
  "/key": { GET: { serve: currentKey } },
  "/credits": { GET: { serve: credits } },
  "/generation": { GET: { serve: generation } },
  "/keys": {
    GET: { admin: true, serve: listOpenRouterKeys },
    POST: { admin: true, status: 201, serve: createOpenRouterKey },
  },
  "/keys/{hash}": {
    GET: { admin: true, serve: getOpenRouterKey },
    PATCH: { admin: true, serve: updateOpenRouterKey },
    DELETE: { admin: true, serve: deleteOpenRouterKey },
  },
}

/** `path`: below the mount. Undefined: it is none of these. */
export function openRouterAccounting(
  call: AuthedCall,
  part: AdminPart,
  path: string,
): Promise<void> | undefined {
  const hash = /^\/keys\/([\w-]{1,128})$/.exec(path)?.[1]
  const name = hash === undefined ? path : "/keys/{hash}"
  const endpoints = Object.hasOwn(ENDPOINTS, name) ? ENDPOINTS[name] : undefined
  return endpoints === undefined ? undefined : answer(call, part, endpoints, hash ?? "")
}

async function answer(
  call: AuthedCall,
  part: AdminPart,
  endpoints: Readonly<Record<string, Endpoint>>,
  hash: string,
): Promise<void> {
  const method = call.request.method ?? ""
  const endpoint = Object.hasOwn(endpoints, method) ? endpoints[method] : undefined
  const mayManage = call.key.admin || Object.values(endpoints).every(({ admin }) => admin !== true)
  if (!mayManage) throw new GatewayError("permission_denied", "Only an admin key may manage keys.")
  if (endpoint === undefined) {
    const allowed = Object.keys(endpoints).join(" or ")
    throw new GatewayError("method_not_allowed", `This path takes ${allowed}, not ${method}.`)
  }
  try {
    const body = await endpoint.serve(call, part, hash)
    const headers = { "x-request-id": call.requestId, "cache-control": "no-store" }
    sendJson(call.response, endpoint.status ?? 200, body, headers)
  } catch (error) {
    throw storeTrouble(error)
  }
}
