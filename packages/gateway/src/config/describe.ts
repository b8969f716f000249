/** A configuration in a few lines, for the start. */
import type { Config, ProviderConfig } from "../config.ts"
import { knownProvider } from "../providers/known-providers.ts"
import type { FoundEngine } from "../providers/local-engines.ts"
import { SIM } from "./check-file.ts"
import { formatDuration } from "./units.ts"

export function describeConfig(config: Config): string[] {
  const { durability, keep } = config.streams
  return [
    `configuration: ${config.file ?? "the environment (there is no sluice.yaml)"}`,
    `upstreams: ${[...config.providers.map(upstream), `${SIM} (simulator)`].join(", ")}`,
    ...config.providers.flatMap(compat),
    ...(config.models.length === 0 ? [] : [`models: ${config.models.map(({ name }) => name).join(", ")}`]),
    `streams: kept for ${formatDuration(keep)}, durability ${durability}`,
    ...config.notes.map((note) => `note: ${note}`),
  ]
}

const SHOWN_MODELS = 8

/** An engine on this machine that nobody has configured. */
export function describeEngine({ name, baseUrl, models }: FoundEngine): string {
  const more = models.length > SHOWN_MODELS ? ` and ${models.length - SHOWN_MODELS} more` : ""
  const shown = models.length === 0 ? "no model yet" : models.slice(0, SHOWN_MODELS).join(", ") + more
  return `found: ${name} (${new URL(baseUrl).host}) with ${shown}`
}

function upstream({ name, baseUrl, credentials }: ProviderConfig): string {
  const several = credentials.length > 1 ? `, ${credentials.length} credentials` : ""
  return `${name} (${new URL(baseUrl).host}${several})`
}

/** What is lost where a vendor is reached through an endpoint that imitates OpenAI's. */
function compat({ name, kind }: ProviderConfig): string[] {
  const limits = knownProvider(kind)?.compat
  return limits === undefined
    ? []
    : [`compat: ${name}, through its OpenAI-compatible endpoint: ${limits.join("; ")}`]
}
