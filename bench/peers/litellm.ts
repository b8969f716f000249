/** LiteLLM's proxy, one worker, without access log and database: a master key, and one route to the upstream. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { mustRun } from "../../scripts/house.ts"
import { freePort } from "../relay/ports.ts"
import type { Target, TargetOptions } from "../relay/targets.ts"
import { installed } from "./installed.ts"

const VERSION = "1.108.7"

/** Uvicorn writes a line for each request unless it is told not to. */
const LOGGING = {
  version: 1,
  disable_existing_loggers: false,
  loggers: { "uvicorn.access": { handlers: [], level: "CRITICAL", propagate: false } },
}

export async function litellm({ upstreamPort, folder }: TargetOptions): Promise<Target> {
  const environment = await installed(`litellm-${VERSION}`, "750 MB, two minutes", install)
  const port = await freePort()
  const key = "sk-relay-bench"
  const config = join(folder, "litellm.yaml")
  const logging = join(folder, "litellm-logging.json")
  writeFileSync(
    config,
    `model_list:
  - model_name: "mock*"
    litellm_params: { model: "openai/mock*", api_base: "http://127.0.0.1:${upstreamPort}/v1", api_key: bench }
general_settings: { master_key: ${key} }
`,
  )
  writeFileSync(logging, JSON.stringify(LOGGING))
  return {
    name: "litellm",
    version: VERSION,
    command: [
      join(environment, "bin/litellm"),
      ...["--host", "127.0.0.1", "--port", String(port), "--config", config, "--log_config", logging],
    ],
    environment: {
      LITELLM_MODE: "PRODUCTION",
      LITELLM_LOG: "ERROR",
      // Or it fetches prices from the network at each start.
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
    },
    port,
    model: "mock",
    key,
  }
}

async function install(folder: string): Promise<void> {
  await mustRun("python3", ["-m", "venv", folder])
  const quiet = ["--quiet", "--disable-pip-version-check"]
  await mustRun(join(folder, "bin/pip"), ["install", ...quiet, `litellm[proxy]==${VERSION}`])
}
