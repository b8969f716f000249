import { atoma, atomaAtV1 } from "../callers/atoma.ts"
import { conformance } from "../suite.ts"

conformance([atoma, atomaAtV1])
