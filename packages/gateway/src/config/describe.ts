/** A configuration in a few lines, for the start. */
import type { Config } from "../config.ts"
import { SIM } from "./check-file.ts"
import type { Durability } from "./file.schema.ts"
import { formatDuration } from "./units.ts"

/** The level that this version keeps, whichever is asked for: the journal is not built yet. */
export function effectiveDurability(_asked: Durability): Durability {
  return "memory"
}

export function describeConfig(config: Config): string[] {
  const { durability, keep } = config.streams
  const effective = effectiveDurability(durability)
  const upstreams = config.providers.map(({ name, baseUrl }) => `${name} (${new URL(baseUrl).host})`)
  return [
    `configuration: ${config.file ?? "the environment (there is no sluice.yaml)"}`,
    `upstreams: ${[...upstreams, `${SIM} (simulator)`].join(", ")}`,
    ...(config.models.length === 0 ? [] : [`models: ${config.models.map(({ name }) => name).join(", ")}`]),
    `streams: kept in ${effective} for ${formatDuration(keep)}${effective === durability ? "" : `; durability ${durability} comes with a later version`}`,
    ...config.notes.map((note) => `note: ${note}`),
  ]
}
