import assert from "node:assert/strict"
import { test } from "node:test"
import { brokenArrows, RULES, sourceFiles } from "./arrows.ts"

/** One violation per rule, as somebody in a hurry would write it. */
const PLANTED: Record<string, { path: string; source: string }> = {
  "protocol stands alone": plant("packages/protocol/src/chunk.ts", 'import { Sluice } from "@sluice/sdk"'),
  "sdk knows protocol only": plant("packages/sdk/src/chat.ts", 'import type { Call } from "@sluice/gateway"'),
  "gateway knows protocol only": plant(
    "packages/gateway/src/chat.ts",
    'export { Sluice } from "@sluice/sdk"',
  ),
  "dashboard goes through the sdk": plant(
    "packages/dashboard/src/app.ts",
    'import { startGateway } from "@sluice/gateway"',
  ),
  "only serve, doctor and sim start the gateway": plant(
    "packages/cli/src/chat.ts",
    'const { startGateway } = await import("@sluice/gateway")',
  ),
  "conformance and bench stay outside": plant(
    "bench/main.ts",
    'import {\n  chat,\n} from "../packages/gateway/src/chat.ts"',
  ),
  "packages meet at their public names": plant(
    "packages/sdk/src/read.ts",
    'import "../../protocol/src/sse/decode.ts"',
  ),
  "protocol and sdk run anywhere": plant(
    "packages/sdk/src/retry.ts",
    'import { setTimeout } from "node:timers/promises"',
  ),
  "zod in schema files only": plant("packages/protocol/src/chunk.ts", 'import * as z from "zod"'),
  "schemas are reached from outside only": plant(
    "packages/protocol/src/index.ts",
    'export { chunkSchema } from "./chunk.schema.ts"',
  ),
  "no inner barrels": plant(
    "packages/gateway/src/streams/index.ts",
    'export { createMemoryLog } from "./memory.ts"',
  ),
  "the gateway's arrows point down": plant(
    "packages/gateway/src/routing/plan.ts",
    'import { chat } from "../chat.ts"',
  ),
  "every room of the gateway has a floor": plant(
    "packages/gateway/src/utils/misc.ts",
    "export const one = 1",
  ),
  "a provider never learns about keys or money": plant(
    "packages/gateway/src/providers/sim.ts",
    'import type { Keys } from "../auth/keys.ts"',
  ),
  "the ledger never learns about providers": plant(
    "packages/gateway/src/ledger/settle.ts",
    'import type { Provider } from "../providers/provider.ts"',
  ),
  "the log sees bytes": plant(
    "packages/gateway/src/streams/memory.ts",
    'import type { Chunk } from "@sluice/protocol"',
  ),
  "only the spine knows all parts": plant(
    "packages/gateway/src/resume.ts",
    'import "./routing/plan.ts"\nimport "./streams/stream.ts"\nimport "./limits/hold.ts"',
  ),
}

test("no import of the house breaks an arrow", () => {
  const files = sourceFiles()
  assert.ok(files.length > 0, "no source file was found")
  assert.deepEqual(
    brokenArrows(files).map(({ message }) => message),
    [],
  )
})

test("every rule has a planted violation", () => {
  assert.deepEqual(Object.keys(PLANTED).sort(), RULES.map(({ name }) => name).sort())
})

for (const { name, reason } of RULES) {
  test(`a planted violation is caught with its reason: ${name}`, () => {
    const messages = brokenArrows([PLANTED[name]!]).filter(({ rule }) => rule === name)
    assert.notEqual(messages.length, 0, "nothing was caught")
    for (const { message } of messages) assert.ok(message.includes(reason), message)
  })
}

test("what a doc comment quotes is no import", () => {
  const source =
    '/**\n * import { Sluice } from "@sluice/sdk"\n * await import("@sluice/sdk")\n */\nexport const one = 1'
  assert.deepEqual(brokenArrows([plant("packages/protocol/src/chunk.ts", source)]), [])
})

test("a test of the gateway may call it with the sdk", () => {
  assert.deepEqual(
    brokenArrows([plant("packages/gateway/test/a.test.ts", 'import { Sluice } from "@sluice/sdk"')]),
    [],
  )
})

function plant(path: string, source: string): { path: string; source: string } {
  return { path, source }
}
