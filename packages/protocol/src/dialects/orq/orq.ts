import { compatibleDialect } from "../compatible/compatible.ts"
import type { Dialect } from "../dialect.ts"
import { orqAnswer } from "./chunk.ts"
import { orqRequest, readOrqRequest } from "./request.ts"

export const orq: Dialect = compatibleDialect({
  name: "orq",
  answer: orqAnswer,
  request: orqRequest,
  readRequest: readOrqRequest,
})
