/**
 * Bifrost's HTTP transport, built from its Go module; configured by a file, without its stores for settings and logs. Written
 * by its documentation alone: where this was made, the module could not be had.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { mustRun } from "../../scripts/house.ts"
import { freePort } from "../relay/ports.ts"
import type { Target, TargetOptions } from "../relay/targets.ts"
import { installed } from "./installed.ts"

const MODULE = "github.com/maximhq/bifrost/transports/bifrost-http"

export async function bifrost({ upstreamPort, folder }: TargetOptions): Promise<Target> {
  const programs = await installed("bifrost", "some minutes of building", (folder) =>
    mustRun("go", ["install", `${MODULE}@latest`], { env: { ...process.env, GOBIN: folder } }),
  )
  const program = join(programs, "bifrost-http")
  const port = await freePort()
  const data = join(folder, "bifrost")
  mkdirSync(data, { recursive: true })
  const openai = {
    keys: [{ name: "bench", value: "bench", models: ["*"], weight: 1 }],
    network_config: { base_url: `http://127.0.0.1:${upstreamPort}` },
  }
  const config = {
    client: { enable_logging: false, drop_excess_requests: false },
    providers: { openai },
    config_store: { enabled: false },
    logs_store: { enabled: false },
  }
  writeFileSync(join(data, "config.json"), JSON.stringify(config))
  return {
    name: "bifrost",
    version: await versionOf(program),
    command: [
      program,
      ...["-host", "127.0.0.1", "-port", String(port), "-app-dir", data, "-log-level", "error"],
    ],
    environment: {},
    port,
    model: "openai/mock",
    key: "none",
  }
}

/** As the Go tool wrote it into the program. */
async function versionOf(program: string): Promise<string> {
  const built = await mustRun("go", ["version", "-m", program])
  return /^\s*mod\s+\S+\s+(\S+)/m.exec(built)?.[1] ?? "unknown"
}
