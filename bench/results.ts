/**
 * Figures that are kept: a file of bench/results for each bench, with the machine, the time and the commit. The pages
 * of docs/ that show figures are made from these files and from nothing else (`npm run generate`).
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Machine, thisMachine } from "./quiet.ts"

const FOLDER = join(import.meta.dirname, "results")

export type Kept<Result> = Result & { readonly machine: Machine }

export async function keepResults(name: string, result: object): Promise<void> {
  const path = join(FOLDER, `${name}.json`)
  writeFileSync(path, `${JSON.stringify({ machine: await thisMachine(), ...result }, short, 2)}\n`)
  console.log(`kept in bench/results/${name}.json; npm run generate makes the pages of it\n`)
}

/** Undefined: nobody has kept any. */
export function readResults<Result>(name: string): Kept<Result> | undefined {
  try {
    return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8")) as Kept<Result>
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw error
  }
}

/** The last one by its name, which ends in a date. */
export function newestResults<Result>(prefix: string): Result | undefined {
  const name = readdirSync(FOLDER)
    .filter((file) => file.startsWith(prefix) && file.endsWith(".json"))
    .sort()
    .at(-1)
  return name === undefined ? undefined : (JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Result)
}

/** Digits that mean nothing would only make a diff long. */
function short(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}
