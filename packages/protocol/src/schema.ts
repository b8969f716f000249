/** `@sluice/protocol/schema`: zod schemas of all that stands on the wire. Nothing else here needs zod. */
export * from "./chunk.schema.ts"
export * from "./completion.schema.ts"
export * from "./error.schema.ts"
export { chatRequestSchema, messageSchema } from "./request.schema.ts"
export { requestSchema } from "./systems.schema.ts"
export * from "./usage.schema.ts"
export { explain } from "./values.schema.ts"
