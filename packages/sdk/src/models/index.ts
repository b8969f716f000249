/** `@sluice/sdk/models`: r9s's, OpenRouter's and Orq's types by their own names. Atoma's are in `models/components`. */
export type * from "./openrouter.ts"
export type * from "./openrouter-newer.ts"
export type * from "./orq.ts"
export type * from "./r9s.ts"
