import { compatibleDialect } from "../compatible/compatible.ts"
import type { Dialect } from "../dialect.ts"
import { r9sAnswer } from "./chunk.ts"
import { r9sRequest } from "./request.ts"

export const r9s: Dialect = compatibleDialect({ name: "r9s", answer: r9sAnswer, request: r9sRequest })
