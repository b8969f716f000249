/** `/admin`: thin. It finds the route, reads what is asked by the route's schemas, and sends what it gives. */
import type { AuthedCall } from "../call.ts"
import { GatewayError } from "../gateway-error.ts"
import { sendJson } from "../http/answer.ts"
import { storeTrouble } from "../store/trouble.ts"
import { needAdminKey } from "./need-admin-key.ts"
import { openApi } from "./openapi.ts"
import { parseBody, parseQuery } from "./parse.ts"
import type { AdminPart } from "./part.ts"
import type { AdminRoute } from "./route.ts"
import { ADMIN_ROUTES } from "./routes.ts"

/** Everything below `/admin`. */
export async function handleAdmin(call: AuthedCall, part: AdminPart): Promise<void> {
  needAdminKey(call)
  const path = call.path.slice("/admin".length)
  const method = call.request.method ?? ""
  if (path === "/openapi.json") return only("GET", method, () => send(call, 200, openApi(ADMIN_ROUTES)))
  const matches = ADMIN_ROUTES.flatMap((route) => {
    const id = match(route.path, path)
    return id === undefined ? [] : [{ route, id }]
  })
  if (matches.length === 0) {
    throw new GatewayError("not_found", `There is nothing at ${call.path.slice(0, 200)}.`)
  }
  const found = matches.find(({ route }) => route.method === method)
  if (found === undefined) throw notAllowed(matches.map(({ route }) => route.method).join(" or "), method)
  try {
    await serve(call, part, found.route, found.id)
  } catch (error) {
    throw storeTrouble(error)
  }
}

async function serve(call: AuthedCall, part: AdminPart, route: AdminRoute, id: string): Promise<void> {
  const query = parseQuery(call, route.query)
  const body = route.body === undefined ? {} : await parseBody(call, route.body.schema, route.body.optional)
  const answer = await route.serve({ id, query: query as never, body: body as never, call }, part)
  if (answer !== undefined) send(call, route.answer.status, answer)
}

/** What stands at `{id}`; "" where the route has none; undefined: another path. */
function match(pattern: string, path: string): string | undefined {
  const [before = "", after] = pattern.split("{id}", 2)
  if (after === undefined) return path === pattern ? "" : undefined
  if (!path.startsWith(before) || !path.endsWith(after)) return undefined
  const id = path.slice(before.length, path.length - after.length)
  return /^[\w-]{1,128}$/.test(id) ? id : undefined
}

function send(call: AuthedCall, status: number, body: Parameters<typeof sendJson>[2]): void {
  // What stands here is money and secrets: no cache is to keep it.
  sendJson(call.response, status, body, { "x-request-id": call.requestId, "cache-control": "no-store" })
}

function only(allowed: string, method: string, answer: () => void): void {
  if (method !== allowed) throw notAllowed(allowed, method)
  answer()
}

function notAllowed(allowed: string, method: string): GatewayError {
  return new GatewayError("method_not_allowed", `This path takes ${allowed}, not ${method}.`)
}
