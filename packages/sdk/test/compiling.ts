/** The compiler, on programs that a test has written. */
import { execFile } from "node:child_process"
import { join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "../../..")

/** What it says of a folder with a tsconfig.json; the exit code says no more. */
export function compilerOutput(folder: string): Promise<string> {
  const words = ["-p", folder, "--pretty", "false"]
  return new Promise((resolve) => {
    execFile(join(root, "node_modules/.bin/tsc"), words, { cwd: folder, maxBuffer: 1 << 26 }, (_, ...said) =>
      resolve(said.join("")),
    )
  })
}
