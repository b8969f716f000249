/** A configuration in a few lines, for the start. */
import type { Config } from "../config.ts"
import { SIM } from "./check-file.ts"
import { formatDuration } from "./units.ts"

export function describeConfig(config: Config): string[] {
  const { durability, keep } = config.streams
  const upstreams = config.providers.map(({ name, baseUrl }) => `${name} (${new URL(baseUrl).host})`)
  return [
    `configuration: ${config.file ?? "the environment (there is no sluice.yaml)"}`,
    `upstreams: ${[...upstreams, `${SIM} (simulator)`].join(", ")}`,
    ...(config.models.length === 0 ? [] : [`models: ${config.models.map(({ name }) => name).join(", ")}`]),
    `streams: kept for ${formatDuration(keep)}, durability ${durability}`,
    ...config.notes.map((note) => `note: ${note}`),
  ]
}
