import { orq } from "../callers/orq.ts"
import { conformance } from "../suite.ts"

conformance([orq])
