/** The admin API as OpenAPI 3.1, made from the routes and the very schemas that requests are checked with. */
import { isObject, type JsonObject, objectOr } from "@sluice/protocol"
import * as z from "zod"
import type { AdminRoute } from "./route.ts"

export function openApi(routes: readonly AdminRoute[]): JsonObject {
  const paths: Record<string, JsonObject> = {}
  for (const route of routes) {
    const path = `/admin${route.path}`
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice admin API",
      version: "1",
      description: "Keys, projects, usage and calls of a Sluice gateway. Needs an admin key.",
    },
    paths,
    components: {
      securitySchemes: { key: { type: "http", scheme: "bearer" } },
      schemas: { Error: ERROR },
    },
    security: [{ key: [] }],
  }
}

/** OpenAI's form. */
const ERROR: JsonObject = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["message", "type", "code"],
      properties: {
        message: { type: "string" },
        type: { type: "string" },
        param: { type: ["string", "null"] },
        code: { type: ["string", "null"] },
      },
    },
  },
}

function operation(route: AdminRoute): JsonObject {
  const { status, schema, mediaType = "application/json" } = route.answer
  const answered = schema === undefined ? { type: "string" } : jsonSchema(schema)
  return {
    operationId: operationId(route),
    summary: route.summary,
    parameters: [...pathParameters(route), ...queryParameters(route.query)],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.body.optional !== true,
            content: { "application/json": { schema: jsonSchema(route.body.schema) } },
          },
        }),
    responses: {
      [status]: { description: route.summary, content: { [mediaType]: { schema: answered } } },
      default: {
        description: "What went wrong",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  }
}

/** `POST /keys/{id}/rotate` → `post_keys_id_rotate`. */
function operationId({ method, path }: AdminRoute): string {
  return `${method.toLowerCase()}${path.replace(/[{}]/g, "").replace(/[/.]/g, "_")}`
}

function pathParameters({ path }: AdminRoute): JsonObject[] {
  if (!path.includes("{id}")) return []
  return [{ name: "id", in: "path", required: true, schema: { type: "string", pattern: "^[\\w-]{1,128}$" } }]
}

function queryParameters(query: z.ZodObject): JsonObject[] {
  const { properties, required } = jsonSchema(query)
  const needed = Array.isArray(required) ? required : []
  return Object.entries(objectOr(properties)).map(([name, schema]) => ({
    name,
    in: "query",
    required: needed.includes(name),
    schema: isObject(schema) ? schema : {},
  }))
}

/** What may be sent: before any text is turned into a number. */
function jsonSchema(schema: z.ZodObject): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" })
  return rest as JsonObject
}
