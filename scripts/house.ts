/** What the scripts share: where the house stands, and running commands quietly. */
import { spawn } from "node:child_process"
import { resolve } from "node:path"

export const root = resolve(import.meta.dirname, "..")

/** The sh script that finds the fitting Node. */
export const node24 = resolve(root, "packages/cli/bin/node24")

export interface Finished {
  readonly code: number
  /** Standard output and standard error as they came. */
  readonly output: string
}

/** Runs a command to its end and keeps what it printed. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string | undefined> } = {},
): Promise<Finished> {
  const { cwd = root, env = process.env } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.once("error", reject)
    child.once("close", (code) => resolve({ code: code ?? 1, output }))
  })
}

/** As `runCommand`, for commands that must succeed: the error holds what was printed. */
export async function mustRun(...[command, args, options]: Parameters<typeof runCommand>): Promise<string> {
  const { code, output } = await runCommand(command, args, options)
  if (code !== 0) throw new Error(`'${command} ${args.join(" ")}' ended with ${code}:\n${output}`)
  return output
}

/** Like `Promise.all` over `items.map(work)`, with at most `limit` at once, begun in order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  async function worker(): Promise<void> {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
