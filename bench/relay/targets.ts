/** What is measured: each is started anew for every measurement, in front of the same upstream. */
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join, resolve } from "node:path"

export interface Target {
  readonly name: string
  /** Undefined: the upstream itself, with nothing in between. */
  readonly command: readonly string[] | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly port: number
  readonly model: string
  readonly key: string
}

export interface TargetOptions {
  readonly upstreamPort: number
  /** For configurations and data. */
  readonly folder: string
  /** Where Sluice writes a CPU profile of each measurement; none where absent. */
  readonly profiles: string | undefined
}

export const TARGETS: Readonly<Record<string, (options: TargetOptions) => Promise<Target>>> = {
  direct,
  nginx,
  sluice,
}

/** What it is called in the table of versions, or why it cannot be measured here. */
export function nginxVersion(): string | undefined {
  const { stderr } = spawnSync("nginx", ["-v"], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` },
  })
  return stderr?.match(/nginx\/(\S+)/)?.[1]
}

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
    command: ["nginx", "-e", "stderr", "-c", file],
    environment: {},
    port,
    model: "mock",
    key: "none",
  }
}

/** As a user starts it: the command, a configuration file, a key, and everything on that is on by itself. */
async function sluice({ upstreamPort, folder, profiles }: TargetOptions): Promise<Target> {
  const port = await freePort()
  const file = join(folder, "sluice.yaml")
  const key = "sk-relay-bench"
  writeFileSync(
    file,
    `providers:
  mock: { kind: openai-compatible, base_url: "http://127.0.0.1:${upstreamPort}/v1", credential: bench }
`,
  )
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true })
  return {
    name: "sluice",
    command: [
      resolve(import.meta.dirname, "../../packages/cli/bin/sluice"),
      ...["serve", "--port", String(port), "--config", file],
    ],
    environment: {
      NODE_ENV: "production",
      SLUICE_API_KEY: key,
      SLUICE_DATA: join(folder, "data"),
      ...(profiles === undefined
        ? {}
        : { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval=200 --cpu-prof-dir=${resolve(profiles)}` }),
    },
    port,
    model: "mock/gpt",
    key,
  }
}

/** Below the range that outgoing connections take theirs from. */
const FIRST_PORT = 19_100
let next = FIRST_PORT

export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++
    if (port > FIRST_PORT + 500) throw new Error(`no free port from ${FIRST_PORT} on`)
    if (await bindable(port)) return port
  }
}

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })
}
