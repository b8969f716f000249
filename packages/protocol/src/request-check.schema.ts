/** `@sluice/protocol/schema/request`: what a server needs to check what it is asked, with nothing else to read at its start. */
export { requestSchema } from "./systems.schema.ts"
export { explain } from "./values.schema.ts"
