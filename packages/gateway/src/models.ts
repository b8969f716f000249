/** GET {mount}/models: what can be asked for here. */
import type { AuthedCall } from "./call.ts"
import type { Gateway } from "./gateway.ts"
import { sendJson } from "./http/answer.ts"

export function listModels(call: AuthedCall, gateway: Gateway): void {
  const ids = [...gateway.routes.models.keys(), "sim/story"]
  sendJson(
    call.response,
    200,
    { object: "list", data: ids.map((id) => ({ id, object: "model", created: 0, owned_by: "sluice" })) },
    { "x-request-id": call.requestId },
  )
}
