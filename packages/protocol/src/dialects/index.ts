/** The table of dialects, and each by its name for those who need only one. */
import { atoma } from "./atoma/atoma.ts"
import type { Dialect, DialectName } from "./dialect.ts"
import { openai, openaiWith } from "./openai/openai.ts"
import { openrouter } from "./openrouter/openrouter.ts"
import { orq } from "./orq/orq.ts"
import { r9s } from "./r9s/r9s.ts"

export { type ReadUsage, readUsage, type UsageFlag } from "./compatible/usage.ts"
export type * from "./dialect.ts"
export type { RequestQuirks } from "./openai/quirks.ts"
export { atoma, openai, openaiWith, openrouter, orq, r9s }

export const dialects = { openai, openrouter, r9s, atoma, orq } as const satisfies Record<
  Exclude<DialectName, "anthropic">,
  Dialect
>
