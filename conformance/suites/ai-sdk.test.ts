import { aiSdkCompatible, aiSdkOpenai } from "../callers/ai-sdk.ts"
import { conformance } from "../suite.ts"

conformance([aiSdkCompatible, aiSdkOpenai])
