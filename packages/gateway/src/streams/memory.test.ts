import { logSuite } from "./log.suite.ts"
import { createMemoryLog } from "./memory.ts"

logSuite("memory log", { create: createMemoryLog })
