/** Whether a key's allow-lists let it ask for a model and be answered by a provider. */
import type { Key } from "./keys.ts"

type Allowed = Pick<Key, "models" | "providers">

/** `provider` undefined: whether the model may be asked for at all. */
export function mayUse(key: Allowed, modelAsked: string, provider?: string): boolean {
  return (
    allows(key.models, modelAsked, beforeScript(modelAsked)) &&
    (provider === undefined || allows(key.providers, provider))
  )
}

function allows(list: readonly string[] | null, ...names: readonly string[]): boolean {
  return list === null || list.some((pattern) => names.some((name) => fits(pattern, name)))
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/**
 * A simulator's script and a wish for a kind of provider do not make another model. Any other colon does: who may use
 * `local/llama:8b` may not use `local/llama:70b`.
 */
function beforeScript(model: string): string {
  if (model.startsWith("sim/")) return model.split(":", 1)[0]!
  return model.replace(/(?::(?:nitro|floor))+$/, "")
}
