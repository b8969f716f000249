/** What an admin call asks, checked against its route's schemas before anything is done. */
import { explain } from "@sluice/protocol/schema"
import type * as z from "zod"
import type { Call } from "../call.ts"
import { GatewayError } from "../gateway-error.ts"
import { readJsonBody } from "../http/body.ts"

/** Lists of a thousand names fit; nothing else here is long. */
const BODY_LIMIT = 1_048_576

export async function parseBody<Schema extends z.ZodType>(
  { request }: Pick<Call, "request">,
  schema: Schema,
  optional = false,
): Promise<z.output<Schema>> {
  const { "content-length": length, "transfer-encoding": coding } = request.headers
  const isAbsent = coding === undefined && Number(length ?? 0) === 0
  return check(schema, optional && isAbsent ? {} : await readJsonBody(request, BODY_LIMIT))
}

export function parseQuery<Schema extends z.ZodType>(
  { query }: Pick<Call, "query">,
  schema: Schema,
): z.output<Schema> {
  for (const name of new Set(query.keys())) {
    if (query.getAll(name).length > 1) throw wrong(name, `${name} was given twice.`)
  }
  return check(schema, Object.fromEntries(query))
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { param, message } = explain(result.error)
  throw wrong(param, message)
}

export function wrong(param: string, message: string): GatewayError {
  return new GatewayError("invalid_request", message.slice(0, 500), { param: param.slice(0, 200) })
}
