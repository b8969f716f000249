import { openai, openaiHelper } from "../callers/openai.ts"
import { conformance } from "../suite.ts"

conformance([openai, openaiHelper])
