import { openrouter, openrouter09, openrouter09AtV1, openrouterAtV1 } from "../callers/openrouter.ts"
import { conformance } from "../suite.ts"

conformance([openrouter, openrouter09, openrouterAtV1, openrouter09AtV1])
