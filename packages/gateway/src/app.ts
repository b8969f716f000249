/**
 * The route table and the order of the layers, on one screen. Every path but OPEN_PATHS passes authentication, and
 * router and authentication look at the same parsed path.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Dialect } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import { readKeptEvents } from "./admin/kept-events.ts"
import { METRICS_PATH, sendMetrics } from "./admin/metrics.ts"
import type { AdminPart } from "./admin/part.ts"
import type { AuthedCall, Call, Mount } from "./call.ts"
import { chat } from "./chat.ts"
import { firstLook } from "./first-look/serve.ts"
import type { Gateway } from "./gateway.ts"
import { GatewayError, toWireError } from "./gateway-error.ts"
import { sendError, sendJson } from "./http/answer.ts"
import { chooseDialect } from "./http/dialect.ts"
import { readRequestId } from "./http/headers.ts"
import { checkOrigin } from "./http/origin.ts"
import { newId } from "./ids.ts"
import { listModels } from "./models.ts"
import { cancel, detach, resume } from "./resume.ts"

const MOUNTS: readonly Mount[] = [
  { prefix: "/v1", dialect: "openai", listens: true, sendsDone: true },
  { prefix: "/r9s/v1", dialect: "r9s", listens: false, sendsDone: true },
  { prefix: "/openrouter/api/v1", dialect: "openrouter", listens: false, sendsDone: true },
  { prefix: "/atoma/v1", dialect: "atoma", listens: false, sendsDone: true },
  { prefix: "/orq/v2/router", dialect: "orq", listens: false, sendsDone: true },
  { prefix: "/orq/v2/gateway", dialect: "orq", listens: false, sendsDone: true },
  { prefix: "/orq/v2/proxy", dialect: "orq", listens: false, sendsDone: false },
]

/** Orq lists its models under another version than it completes. */
const ORQ_MODELS = "/orq/v3/router/models"

/** Known paths of the systems served here that are not built yet: said as such, in their mount's own form. */
const NOT_BUILT =
  /^(\/v1|\/r9s\/v1|\/openrouter\/api\/v1|\/atoma\/v1|\/orq\/v[23]|\/anthropic(?:\/v1)?)\/(router\/|gateway\/|proxy\/)?(completions|embeddings|responses|messages|moderations|rerank|ocr|classify|images|audio|videos|files|deployments|agents|confidential|api-keys|budgets|projects)(\/|$)/

/** Paths that need no key. A constant list, so that no change elsewhere can add to it. */
const OPEN_PATHS: Record<string, (call: Call, gateway: Gateway) => void> = {
  "/healthz": (call) => sendJson(call.response, 200, { ok: true }),
  "/readyz": (call, gateway) => {
    const { trouble } = gateway.streams
    const ready = !gateway.draining && trouble === undefined
    sendJson(call.response, ready ? 200 : 503, {
      ready,
      ...(trouble === undefined ? {} : { journal: trouble }),
    })
  },
  "/": firstLook("index.html"),
  "/first-look/answer.css": firstLook("answer.css"),
  "/first-look/answer.js": firstLook("answer.js"),
  "/first-look/books.css": firstLook("books.css"),
  "/first-look/books.js": firstLook("books.js"),
  "/first-look/events.js": firstLook("events.js"),
  "/first-look/follow.js": firstLook("follow.js"),
  "/first-look/gateway.js": firstLook("gateway.js"),
  "/first-look/icon.svg": firstLook("icon.svg"),
  "/first-look/main.js": firstLook("main.js"),
  "/first-look/memory.js": firstLook("memory.js"),
  "/first-look/page.js": firstLook("page.js"),
  "/first-look/ruler.js": firstLook("ruler.js"),
  "/first-look/style.css": firstLook("style.css"),
  "/first-look/tally.js": firstLook("tally.js"),
  "/first-look/words.js": firstLook("words.js"),
}

/** Read when somebody comes to them: two dozen modules that a start has not to read, and most gateways hardly see their admin. */
const loadAdmin = () => import("./admin/handle.ts")
const loadAccounting = () => import("./admin/openrouter.ts")

/** Most calls have none, and nobody changes one. */
const NO_QUERY = new URLSearchParams()

export async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  gateway: Gateway,
): Promise<void> {
  const requestId = readRequestId(request.headers) ?? newId("req_")
  let answerIn: Dialect = dialects.openai
  try {
    const [path = "/", search = ""] = (request.url ?? "/").split("?", 2)
    const mount = mountOf(path)
    answerIn = dialects[mount.dialect]
    const { dialect, rule } = chooseDialect(mount, request.headers)
    answerIn = dialect
    const query = search === "" ? NO_QUERY : new URLSearchParams(search)
    const receivedAt = Date.now()
    const call: Call = {
      requestId,
      request,
      response,
      path,
      query,
      mount,
      dialect,
      dialectRule: rule,
      receivedAt,
    }
    if (checkOrigin(request, response, gateway.origins)) return
    const open = OPEN_PATHS[call.path]
    if (open !== undefined && request.method === "GET") return open(call, gateway)
    refuseAmbiguity(request)
    const key = gateway.keys.authenticate(request.headers)
    const chosen =
      key.dialect === null ? { dialect, rule } : chooseDialect(mount, request.headers, key.dialect)
    answerIn = chosen.dialect
    await route({ ...call, key, dialect: chosen.dialect, dialectRule: chosen.rule }, gateway)
  } catch (error) {
    if (!(error instanceof GatewayError)) gateway.log(`${requestId}: ${describe(error)}`)
    const refusal = toWireError(error)
    if (!response.headersSent) gateway.metrics.refused(refusal)
    sendError(response, answerIn, refusal, {
      "x-request-id": requestId,
      ...(gateway.draining ? { connection: "close" } : {}),
    })
  }
}

async function route(call: AuthedCall, gateway: Gateway): Promise<void> {
  const method = call.request.method ?? ""
  const rest = isWithin(call.mount.prefix, call.path) ? call.path.slice(call.mount.prefix.length) : ""
  if (rest === "/chat/completions") return only("POST", method, () => chat(call, gateway))
  if (isWithin("/admin", call.path)) return (await loadAdmin()).handleAdmin(call, adminPart(gateway))
  if (call.path === METRICS_PATH) return only("GET", method, () => sendMetrics(call, gateway.metrics))
  if (call.path === ORQ_MODELS) return only("GET", method, () => listModels(call, gateway))
  if (rest === "/models") return only("GET", method, () => listModels(call, gateway))
  const one = rest.match(/^\/chat\/completions\/([\w-]{1,128})(\/cancel|\/detach)?$/)
  const id = one?.[1]
  if (id === undefined) return accounting(call, gateway, rest)
  if (one?.[2] === "/cancel") return only("POST", method, () => cancel(call, gateway, id))
  if (one?.[2] === "/detach") return only("POST", method, () => detach(call, gateway, id))
  return only("GET", method, () => resume(call, gateway, id))
}

/** OpenRouter's at its mount; the last path there is. */
async function accounting(call: AuthedCall, gateway: Gateway, rest: string): Promise<void> {
  if (rest === "" || call.mount.dialect !== "openrouter") throw unknownPath(call)
  const { openRouterAccounting } = await loadAccounting()
  const answered = openRouterAccounting(call, adminPart(gateway), rest)
  if (answered === undefined) throw unknownPath(call)
  return answered
}

function adminPart(gateway: Gateway): AdminPart {
  const { keys, streams, books } = gateway
  const readEvents = (id: string, after: number) => readKeptEvents(streams, id, after)
  return { store: books.store, keys, readEvents, now: Date.now }
}

/** A path that stands at no mount is still answered in the language of its system. */
function mountOf(path: string): Mount {
  return (
    MOUNTS.find(({ prefix }) => isWithin(prefix, path)) ??
    MOUNTS.find(({ dialect }) => isWithin(`/${dialect}`, path)) ??
    MOUNTS[0]!
  )
}

function isWithin(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`)
}

function only(allowed: string, method: string, handler: () => Promise<void> | void): Promise<void> | void {
  if (method === allowed) return handler()
  throw new GatewayError("method_not_allowed", `This path takes ${allowed}, not ${method}.`)
}

/** Two of a header that must be one: whoever stands before us may have read the other. */
function refuseAmbiguity(request: IncomingMessage): void {
  const seen = new Set<string>()
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]!.toLowerCase()
    if (!["host", "authorization", "content-length", "content-type"].includes(name)) continue
    if (seen.has(name))
      throw new GatewayError("invalid_request", `The header '${name}' was sent twice.`, { param: name })
    seen.add(name)
  }
}

function unknownPath(call: Call): GatewayError {
  if (NOT_BUILT.test(call.path))
    return new GatewayError("not_implemented", `${call.path} is not served by this gateway yet.`)
  return new GatewayError(
    "not_found",
    `There is nothing at ${call.request.method} ${call.path.slice(0, 200)}.`,
  )
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
