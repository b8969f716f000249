/** One operation of each kind, in a process of its own: bench/micro.ts starts it, and prints what comes back. */
import { callCases } from "./micro-calls.ts"
import { eventCases } from "./micro-events.ts"
import { type CaseFigures, figuresOf } from "./micro-measure.ts"

const [milliseconds, word = ""] = process.argv.slice(2)
const figures: CaseFigures[] = []
for (const one of [...eventCases(), ...callCases()])
  if (one.name.includes(word)) figures.push(await figuresOf(one, Number(milliseconds)))
  else await one.close?.()
process.send?.(figures)
process.disconnect?.()
