/** What a client may ask, checked against its dialect's schema before anything is done with it. */
import type { DialectName, JsonObject } from "@sluice/protocol"
import { explain, requestSchema } from "@sluice/protocol/schema"
import { GatewayError } from "./gateway-error.ts"

export function validateRequest(body: JsonObject, dialect: DialectName): JsonObject {
  if (dialect === "anthropic")
    throw new GatewayError("not_implemented", "The anthropic dialect is not served yet.")
  const result = requestSchema(dialect).safeParse(body)
  if (result.success) return result.data
  const { param, message } = explain(result.error)
  throw new GatewayError("invalid_request", message, { param })
}
