/** `sluice` as a user runs it: a process with its words on two pipes, or one at a terminal of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { fileURLToPath } from "node:url"
import { ADMIN_KEY, KEY, startTestGateway, type TestGateway } from "../../gateway/test/support.ts"

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))

export interface Sluice {
  readonly gateway: TestGateway
  /** Where chats keep their places. */
  readonly state: string
  run(args: readonly string[], more?: Started): Promise<Finished>
  start(args: readonly string[], more?: Started): Running
  /** With a terminal in place of the pipes: what it shows is both outputs together. */
  startAtTerminal(args: readonly string[], more?: Started): Running
}

export interface Started {
  readonly environment?: Record<string, string>
  /** What comes through the pipe. Without it standard input is empty. */
  readonly input?: string
  readonly cwd?: string
}

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Running {
  readonly child: ChildProcess
  /** Until now. */
  readonly out: string
  readonly err: string
  /** Resolves as soon as standard output (or the terminal) fits; with the text up to there. */
  until(pattern: RegExp): Promise<string>
  type(text: string): void
  finished: Promise<Finished>
}

/** A gateway with the keys of `gateway/test/support.ts`, and the command pointed at it. Both end with the test. */
export async function startSluice(t: TestContext, yaml = ""): Promise<Sluice> {
  const gateway = await startTestGateway(yaml)
  t.after(() => gateway.close())
  return sluiceAt(t, gateway)
}

/** `url`: another way to the same gateway. */
export function sluiceAt(t: TestContext, gateway: TestGateway, url = gateway.url): Sluice {
  const state = temporaryFolder(t)
  const environment = {
    XDG_STATE_HOME: state,
    SLUICE_BASE_URL: url,
    SLUICE_API_KEY: KEY,
    SLUICE_ADMIN_KEY: ADMIN_KEY,
  }
  const withOurs = (more: Started): Started => ({
    ...more,
    environment: { ...environment, ...more.environment },
  })
  return {
    gateway,
    state,
    run: (args, more = {}) => startProcess(t, process.execPath, [MAIN, ...args], withOurs(more)).finished,
    start: (args, more = {}) => startProcess(t, process.execPath, [MAIN, ...args], withOurs(more)),
    startAtTerminal(args, more = {}) {
      const [command, ...words] = atTerminal([process.execPath, MAIN, ...args])
      return startProcess(t, command!, words, withOurs(more), "terminal")
    },
  }
}

/** The command alone, with no gateway and no key. */
export function runAlone(t: TestContext, args: readonly string[], more: Started = {}): Promise<Finished> {
  const environment = {
    XDG_STATE_HOME: temporaryFolder(t),
    SLUICE_DATA: temporaryFolder(t),
    ...more.environment,
  }
  return startProcess(t, process.execPath, [MAIN, ...args], { ...more, environment }).finished
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-cli-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function startProcess(
  t: TestContext,
  command: string,
  args: readonly string[],
  { environment = {}, input = "", cwd }: Started,
  at: "pipes" | "terminal" = "pipes",
): Running {
  const child = spawn(command, args, { env: { ...plainEnvironment(), ...environment }, stdio: "pipe", cwd })
  let out = ""
  let err = ""
  let over = false
  let waiting: (() => void)[] = []
  const wake = (): void => {
    const callbacks = waiting
    waiting = []
    for (const callback of callbacks) callback()
  }
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text
    wake()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text
    wake()
  })
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => {
      over = true
      wake()
      resolve({ code, out, err })
    })
  })
  child.stdin.on("error", () => {})
  if (at === "pipes") child.stdin.end(input)
  t.after(async () => {
    child.kill("SIGKILL")
    await finished.catch(() => {})
  })
  return {
    child,
    get out() {
      return out
    },
    get err() {
      return err
    },
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(out)
        if (found !== null) return out.slice(0, found.index + found[0].length)
        if (over) throw new Error(`it ended without ${pattern}:\n${out}\n${err}`)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    type: (text) => void child.stdin.write(text),
    finished,
  }
}

/** What this machine's own settings say must not decide. */
function plainEnvironment(): Record<string, string | undefined> {
  const ours = Object.entries(process.env).filter(
    ([name]) => !/^(SLUICE_|NODE_TEST|FORCE_COLOR$|NO_COLOR$)/.test(name),
  )
  return { ...Object.fromEntries(ours), TERM: "xterm", NO_PROXY: "*" }
}

const PYTHON = `import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))`

/** Gives a command a pseudo-terminal: by util-linux, else by Python; a test without either fails. */
function atTerminal(command: readonly string[]): readonly string[] {
  const script = spawnSync("script", ["--version"], { encoding: "utf8" })
  if (script.stdout?.includes("util-linux"))
    return [
      "script",
      "-qfec",
      command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" "),
      "/dev/null",
    ]
  if (spawnSync("python3", ["-c", "import pty"]).status === 0) return ["python3", "-c", PYTHON, ...command]
  throw new Error(
    "these tests need a pseudo-terminal: install util-linux (for its 'script'), or python3. On Debian: apt-get install bsdutils",
  )
}

/** As people see it: without colours, and without the line editor's moves of the cursor. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/\u001b\[[\d;?]*[A-Za-z]/g, "").replaceAll("\r\n", "\n")
}
