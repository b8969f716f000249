/** What is measured: each is started anew for every measurement, in front of the same upstream. */
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { root } from "../../scripts/house.ts"
import { bifrost } from "../peers/bifrost.ts"
import { litellm } from "../peers/litellm.ts"
import { portkey } from "../peers/portkey.ts"
import type { Checkout } from "./commit.ts"
import { freePort } from "./ports.ts"

export interface Target {
  readonly name: string
  /** What the results call it by, beside its name. */
  readonly version?: string
  /** Undefined: the upstream itself, with nothing in between. */
  readonly command: readonly string[] | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly port: number
  readonly model: string
  readonly key: string
  /** Sent with every request: `name: value`. */
  readonly headers?: readonly string[]
  /** Milliseconds from the open port to the first request, where it needs more than others. */
  readonly settle?: number
  /** What it keeps between its starts; each measurement begins with none of it. */
  readonly data?: string
  /** The line that says it is ready: only with one is its start measured. */
  readonly ready?: RegExp
}

export interface TargetOptions {
  readonly upstreamPort: number
  /** For configurations and data. */
  readonly folder: string
  /** Where Sluice writes a CPU profile of each measurement; none where absent. */
  readonly profiles: string | undefined
}

/** Each fails where it cannot be had on this machine, and says why. */
type Prepare = (options: TargetOptions) => Promise<Target>

/** The goals are about these, and a run without `--target` measures them. */
export const OURS: Readonly<Record<string, Prepare>> = {
  direct,
  nginx,
  portkey,
  sluice: (options) => sluice(options),
}

/** The others are installed only when they are asked for. */
export const TARGETS: Readonly<Record<string, Prepare>> = { ...OURS, litellm, bifrost }

async function direct({ upstreamPort }: TargetOptions): Promise<Target> {
  return {
    name: "direct",
    command: undefined,
    environment: {},
    port: upstreamPort,
    model: "mock",
    key: "none",
  }
}

/** One worker that forwards and does nothing else: the yardstick. */
async function nginx({ upstreamPort, folder }: TargetOptions): Promise<Target> {
  const { stderr } = spawnSync("nginx", ["-v"], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` },
  })
  const version = stderr?.match(/nginx\/(\S+)/)?.[1]
  if (version === undefined) throw new Error("it is not installed (Debian: apt-get install nginx-light)")
  const port = await freePort()
  const file = join(folder, "nginx.conf")
  const own = (name: string): string => join(folder, `nginx-${name}`)
  const user = process.getuid?.() === 0 ? "user root;\n" : ""
  writeFileSync(
    file,
    `${user}worker_processes 1;
daemon off;
pid ${own("pid")};
error_log stderr warn;
worker_rlimit_nofile 16384;
events { worker_connections 16000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 100000000;
  client_body_temp_path ${own("body")};
  proxy_temp_path ${own("proxy")};
  fastcgi_temp_path ${own("fastcgi")};
  uwsgi_temp_path ${own("uwsgi")};
  scgi_temp_path ${own("scgi")};
  upstream mock { server 127.0.0.1:${upstreamPort}; keepalive 4096; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`,
  )
  return {
    name: "nginx",
    version,
    command: ["nginx", "-e", "stderr", "-c", file],
    environment: {},
    port,
    model: "mock",
    key: "none",
  }
}

/** As a user starts it: the command, a configuration file, a key, and everything on that is on by itself. */
export async function sluice(options: TargetOptions, checkout?: Checkout): Promise<Target> {
  const { upstreamPort, folder, profiles } = options
  const { name, tree, version } = checkout ?? { name: "sluice", tree: root }
  const port = await freePort()
  const file = join(folder, `${name}.yaml`)
  const data = join(folder, `${name}-data`)
  const key = "sk-relay-bench"
  writeFileSync(
    file,
    `providers:
  mock: { kind: openai-compatible, base_url: "http://127.0.0.1:${upstreamPort}/v1", credential: bench }
`,
  )
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true })
  return {
    name,
    version,
    command: [join(tree, "packages/cli/bin/sluice"), ...["serve", "--port", String(port), "--config", file]],
    environment: {
      NODE_ENV: "production",
      SLUICE_API_KEY: key,
      SLUICE_DATA: data,
      ...(profiles === undefined
        ? {}
        : { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval=200 --cpu-prof-dir=${resolve(profiles)}` }),
    },
    port,
    model: "mock/gpt",
    key,
    data,
    ready: /^sluice listening on /m,
  }
}
