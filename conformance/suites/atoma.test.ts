import { atoma } from "../callers/atoma.ts"
import { conformance } from "../suite.ts"

conformance([atoma])
