/** The programs that a bench starts: none of them outlives it. */
import { type ChildProcess, spawn } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"

export interface Child {
  readonly pid: number
  /** The first match in all that it says, now or later; fails where it ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  /** As `said`, in what it says from now on. */
  next(pattern: RegExp): Promise<RegExpExecArray>
  /** As `said`, on its standard error. */
  complained(pattern: RegExp): Promise<RegExpExecArray>
  /** Everything it printed so far. */
  output(): string
  readonly running: boolean
  readonly ended: Promise<void>
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and after a while SIGKILL. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Added to our own environment. */
  readonly environment?: Readonly<Record<string, string>>
  /** The one CPU that it may use. */
  readonly cpu?: number | undefined
  /** The number of the user, and of the group, that it runs as. */
  readonly user?: number | undefined
  /** Where it runs. */
  readonly folder?: string | undefined
}

const PATIENCE = 5_000
const alive = new Set<ChildProcess>()

// Programs of the reference targets live in folders that are not on everybody's PATH.
const PATH = `${process.env["PATH"]}:/usr/local/sbin:/usr/sbin:/sbin`

process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL")
})
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => process.exit(130))

export async function start(command: readonly string[], options: StartOptions = {}): Promise<Child> {
  const { cpu, environment = {}, user, folder } = options
  // taskset becomes the program itself, and what that starts is bound as well.
  const pinned = cpu === undefined ? command : ["taskset", "-c", String(cpu), ...command]
  const child = spawn(pinned[0]!, pinned.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH, ...environment },
    cwd: folder,
    ...(user === undefined ? {} : { uid: user, gid: user }),
  })
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve)
    child.once("error", reject)
  })
  alive.add(child)
  let running = true
  let output = ""
  let errors = ""
  let waiting: (() => void)[] = []
  const wake = (): void => {
    const callbacks = waiting
    waiting = []
    for (const callback of callbacks) callback()
  }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
    wake()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text
    wake()
  })
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      running = false
      alive.delete(child)
      wake()
      resolve()
    })
  })

  async function match(pattern: RegExp, from = 0, said = () => output): Promise<RegExpExecArray> {
    for (;;) {
      // Whole lines only: half of one could match something else.
      const found = pattern.exec(said().slice(from, said().lastIndexOf("\n") + 1))
      if (found !== null) return found
      if (!running) throw new Error(`${command[0]} ended: ${(errors || output).trim().slice(0, 500)}`)
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }

  return {
    pid: child.pid!,
    get running() {
      return running
    },
    ended,
    output: () => output + errors,
    said: (pattern) => match(pattern),
    next: (pattern) => match(pattern, output.length),
    complained: (pattern) => match(pattern, 0, () => errors),
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill("SIGTERM")
      const late = new AbortController()
      void sleep(PATIENCE, undefined, { signal: late.signal }).then(
        () => child.kill("SIGKILL"),
        () => {},
      )
      await ended
      late.abort()
    },
  }
}
