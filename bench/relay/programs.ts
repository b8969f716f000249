/** The bench's own C programs, built when their sources are newer. */
import { spawnSync } from "node:child_process"
import { mkdirSync, statSync } from "node:fs"
import { join } from "node:path"

const SOURCES = import.meta.dirname
const BUILT = join(SOURCES, "..", "build")
const HEADERS = ["measure.h", "answer.h"]

/** Paths of the built programs. */
export function buildPrograms(): { readonly mock: string; readonly loadgen: string } {
  mkdirSync(BUILT, { recursive: true })
  return {
    mock: build("mock", ["mock.c", "measure.c"]),
    loadgen: build("loadgen", ["loadgen.c", "answer.c", "measure.c"]),
  }
}

function build(name: string, sources: readonly string[]): string {
  const program = join(BUILT, name)
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const paths = sources.map((source) => join(SOURCES, source))
  const headers = HEADERS.map((header) => join(SOURCES, header))
  if ([...paths, ...headers].every((path) => statSync(path).mtimeMs < built)) return program
  const { status, error, stderr } = spawnSync(
    "gcc",
    ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, ...paths],
    { encoding: "utf8" },
  )
  if (error !== undefined)
    throw new Error("the relay bench needs a C compiler: apt-get install gcc libc6-dev (Debian)")
  if (status !== 0) throw new Error(`gcc could not build ${name}:\n${stderr}`)
  return program
}
