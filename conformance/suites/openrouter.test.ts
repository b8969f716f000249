import { openrouter, openrouter09 } from "../callers/openrouter.ts"
import { conformance } from "../suite.ts"

conformance([openrouter, openrouter09])
