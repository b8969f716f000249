/**
 * Portkey's gateway, by the same Node as Sluice. It sleeps 25 ms before the first chunk of a stream, so that part of its
 * time to the first content is deliberate.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { mustRun } from "../../scripts/house.ts"
import { freePort } from "../relay/ports.ts"
import type { Target, TargetOptions } from "../relay/targets.ts"
import { installed } from "./installed.ts"

const PACKAGE = "@portkey-ai/gateway"
const VERSION = "1.15.2"
/** With those that a plain install picks, every stream fails with "TypeError: immutable" (its issue 1389). */
const PINS = { hono: "4.9.7", "@hono/node-server": "1.14.1" }

export async function portkey({ upstreamPort }: TargetOptions): Promise<Target> {
  const folder = await installed(`portkey-${VERSION}`, "25 MB", install)
  const port = await freePort()
  return {
    name: "portkey",
    version: `${VERSION}, hono ${PINS.hono}, @hono/node-server ${PINS["@hono/node-server"]}`,
    command: [
      process.execPath,
      join(folder, "node_modules", PACKAGE, "build/start-server.js"),
      ...["--headless", `--port=${port}`],
    ],
    environment: { NODE_ENV: "production" },
    port,
    model: "mock",
    key: "none",
    headers: ["x-portkey-provider: openai", `x-portkey-custom-host: http://127.0.0.1:${upstreamPort}/v1`],
    settle: 1_200,
  }
}

async function install(folder: string): Promise<void> {
  const manifest = { private: true, dependencies: { [PACKAGE]: VERSION }, overrides: PINS }
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest))
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
  await mustRun("npm", ["install", "--omit=dev", "--ignore-scripts", ...quiet], { cwd: folder })
}
