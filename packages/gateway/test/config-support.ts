/** What the tests of the configuration share. */
import assert from "node:assert/strict"
import { type Config, ConfigError, type LoadOptions, loadConfig } from "../src/config.ts"

/** The design's own example. */
export const EXAMPLE = `# sluice.yaml
providers:
  openai:    { kind: openai, credential: \${OPENAI_API_KEY} }
  local:     { kind: openai-compatible, base_url: http://127.0.0.1:8080/v1, credential: none, prefill: true }
models:
  fast:
    candidates:
      - { provider: openai, model: gpt-4o-mini, weight: 3 }
      - { provider: local, model: llama }
    strategy: weighted            # ordered (default) | weighted | least-busy | latency | cost
    timers: { connect: 2s, first_content: 10s, idle: 30s, total: 10m }
    retries: 2
    on_disconnect: drain:30
    continuation: prefill         # off by default
defaults:                         # for every route, and for plain provider/model calls; these are the built-in values
  timers: { connect: 5s, first_content: 10m, idle: 5m, total: 30m }
  on_disconnect: cancel
streams: { durability: process, keep: 10m, max_bytes: 8MB, total_bytes: 1GB }
server:  { host: 127.0.0.1, port: 4000, body_limit: 32MB, heartbeat: 15s, drain: 30s, cors: [] }
`

export const CREDENTIAL = "sk-provider-4f9a1c77d2e84b"

export function load(text: string, more: Partial<LoadOptions> = {}): Config {
  return loadConfig({ file: "sluice.yaml", text, environment: {}, flags: {}, ...more })
}

/** What `loadConfig` refuses, as a ConfigError. */
export function refusal(load: () => unknown): ConfigError {
  try {
    load()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new assert.AssertionError({ message: "nothing was refused" })
}
