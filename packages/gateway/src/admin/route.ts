/** What an admin route says of itself: enough to serve it, to refuse what does not fit, and to document it. */
import type { JsonObject } from "@sluice/protocol"
import type * as z from "zod"
import type { AuthedCall } from "../call.ts"
import type { AdminPart } from "./part.ts"

export interface Asked<Query, Body> {
  /** What stands at `{id}`; "" where the path has none. */
  readonly id: string
  readonly query: Query
  readonly body: Body
  readonly call: AuthedCall
}

export interface AdminRoute {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** Behind `/admin`; `{id}` stands for one step. */
  readonly path: string
  readonly summary: string
  readonly query: z.ZodObject
  readonly body?: Body
  readonly answer: Answer
  /** The body to send; undefined: it has answered by itself. */
  serve(asked: Asked<never, never>, part: AdminPart): Promise<JsonObject | undefined>
}

interface Body {
  readonly schema: z.ZodObject
  /** None at all says the same as `{}`. */
  readonly optional?: boolean
}

interface Answer {
  readonly status: 200 | 201
  /** Absent: `mediaType` says what it is. */
  readonly schema?: z.ZodObject
  readonly mediaType?: string
}

/** Ties what a handler is given to the schemas that it was read with, and what it gives to the schema it promises. */
export function route<
  Query extends z.ZodObject,
  Given extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Answered extends z.ZodObject = z.ZodObject,
>(parts: {
  readonly method: AdminRoute["method"]
  readonly path: string
  readonly summary: string
  readonly query: Query
  readonly body?: { readonly schema: Given; readonly optional?: boolean }
  readonly answer: { readonly status: 200 | 201; readonly schema?: Answered; readonly mediaType?: string }
  serve(
    asked: Asked<z.output<Query>, z.output<Given>>,
    part: AdminPart,
  ): Promise<z.output<Answered> | undefined>
}): AdminRoute {
  return parts as AdminRoute // `handle` reads query and body with these very schemas before it calls `serve`
}
