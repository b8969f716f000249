import type { Caller } from "../caller.ts"
import { aiSdkCompatible, aiSdkOpenai } from "./ai-sdk.ts"
import { atoma, atomaAtV1 } from "./atoma.ts"
import { openai, openaiHelper } from "./openai.ts"
import { openrouter, openrouter09, openrouter09AtV1, openrouterAtV1 } from "./openrouter.ts"
import { orq } from "./orq.ts"
import { sluice, sluiceAtoma, sluiceOpenRouter, sluiceOrq, sluiceOrqProxy, sluiceR9s } from "./sluice.ts"

/** Every client there is, each at its own mount, and those that are known by their user agent at `/v1` too. */
export const CALLERS: readonly Caller[] = [
  openai,
  openaiHelper,
  aiSdkCompatible,
  aiSdkOpenai,
  openrouter,
  openrouterAtV1,
  openrouter09,
  openrouter09AtV1,
  atoma,
  atomaAtV1,
  orq,
  sluice,
  sluiceOpenRouter,
  sluiceR9s,
  sluiceAtoma,
  sluiceOrq,
  sluiceOrqProxy,
]
