import assert from "node:assert/strict"
import { test } from "node:test"
import { loadConfig } from "../config.ts"
import type { HttpPool } from "../providers/http/pool.ts"
import { compileRoutes } from "./routes.ts"

test("a provider shares its connections where the file says so, and is at https", () => {
  const text = `
providers:
  shares: { kind: openai-compatible, base_url: "https://a.example/v1", http2: true }
  alone: { kind: openai-compatible, base_url: "https://b.example/v1" }
  plain: { kind: openai-compatible, base_url: "http://c.example/v1", http2: true }
`
  const asked: Record<string, boolean> = {}
  const pool: HttpPool = {
    send() {
      throw new Error("nobody is called")
    },
    warm({ authority, http2 }) {
      asked[authority] = http2
    },
    close() {},
  }
  const { providers } = compileRoutes(
    loadConfig({ file: "sluice.yaml", text, environment: {}, flags: {} }),
    pool,
  )
  for (const provider of providers.values()) provider.warm?.()
  assert.deepEqual(asked, { "a.example": true, "b.example": false, "c.example": false })
})
