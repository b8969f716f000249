/** What the tests of the configuration share. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { type Config, ConfigError, type LoadOptions, loadConfig } from "../src/config.ts"

/** The example that users are given. */
export const EXAMPLE = readFileSync(new URL("../../../examples/sluice.yaml", import.meta.url), "utf8")

export const CREDENTIAL = "sk-provider-4f9a1c77d2e84b"

export function load(text: string, more: Partial<LoadOptions> = {}): Config {
  return loadConfig({ file: "sluice.yaml", text, environment: {}, flags: {}, ...more })
}

/** A small file in which every setting has its place, as JSON, which is YAML too; with one setting as given. */
export function fileWith(path: readonly string[] = [], value?: unknown): string {
  const file: Record<string, unknown> = {
    providers: {
      mine: { kind: "openai-compatible", base_url: "http://127.0.0.1:9/v1", credential: "none" },
      openai: { kind: "openai", credential: "none" },
    },
    models: { fast: { candidates: [{ provider: "sim", model: "story" }] } },
    prices: { "mine/model": { input: 1, output: 2 } },
  }
  let inside = file
  for (const [index, step] of path.entries()) {
    const name = step === "[]" ? "0" : step === "<name>" ? Object.keys(inside)[0]! : step
    if (index === path.length - 1) inside[name] = value
    else inside[name] ??= {}
    inside = inside[name] as Record<string, unknown>
  }
  return JSON.stringify(file)
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
