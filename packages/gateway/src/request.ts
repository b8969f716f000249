/** What a client may ask, checked against its dialect's schema before anything is done with it. */
import type { DialectName, JsonObject } from "@sluice/protocol"
import { explain, requestSchema } from "@sluice/protocol/schema/request"
import { compile } from "zod"
import { GatewayError } from "./gateway-error.ts"

export function validateRequest(body: JsonObject, dialect: DialectName): JsonObject {
  if (dialect === "anthropic")
    throw new GatewayError("not_implemented", "The anthropic dialect is not served yet.")
  const result = compiledSchema(dialect).safeParse(body)
  if (result.success) return result.data
  const { param, message } = explain(result.error)
  throw new GatewayError("invalid_request", message, { param })
}

type Compiled = ReturnType<typeof requestSchema>

/** One function for a body that is right, where the schema runs some fifty; a body that is wrong is the schema's. */
function compiledSchema(dialect: Exclude<DialectName, "anthropic">): Compiled {
  const known = compiled.get(dialect)
  if (known !== undefined) return known
  const schema = compile(requestSchema(dialect))
  compiled.set(dialect, schema)
  return schema
}
const compiled = new Map<DialectName, Compiled>()
