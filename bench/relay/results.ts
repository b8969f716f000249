/** What is kept of a run: every measurement as JSON, and a page for people. */
import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, release, totalmem } from "node:os"
import { join } from "node:path"
import { mustRun } from "../../scripts/house.ts"
import type { Goal } from "../goal.ts"
import { withoutPlaces } from "../peers/installed.ts"
import type { Row } from "./rows.ts"
import { aligned } from "./table.ts"

export interface Machine {
  readonly date: string
  readonly command: string
  /** With `and changes` where the tree is not the commit's. */
  readonly commit: string
  /** Of each target that has one, and of Node. */
  readonly versions: Readonly<Record<string, string>>
  readonly absent: Readonly<Record<string, string>>
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryGigabytes: number
  readonly pinned: boolean
  readonly rounds: number
  /** CPUs that others might use during what was kept; null without the gate. */
  readonly mostForeignCpu: number | null
}

export async function machineHere(): Promise<
  Pick<Machine, "date" | "commit" | "kernel" | "cpu" | "cpus" | "memoryGigabytes">
> {
  const commit = (await mustRun("git", ["rev-parse", "--short", "HEAD"])).trim()
  // Results themselves are no change of what is measured.
  const changes = await mustRun("git", ["status", "--porcelain", "--", ":/", ":!/bench/results"])
  return {
    date: new Date().toISOString(),
    commit: changes.trim() === "" ? commit : `${commit} and changes`,
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cpus: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
  }
}

export function writeRows(folder: string, machine: Machine, rows: readonly Row[]): string {
  return write(folder, "relay.json", jsonOf(machine, rows))
}

/** Tables and sentences as they were printed. */
export function writePage(folder: string, machine: Machine, goals: readonly Goal[], printed: string): string {
  return write(folder, "relay.md", withoutPlaces(pageOf(machine, goals, printed)))
}

/** A line for each measurement, so that a diff of two files can be read. */
function jsonOf(machine: Machine, rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { failed, measured } = row
    return JSON.stringify({
      ...row,
      ...(failed === undefined ? {} : { failed: withoutPlaces(failed) }),
      measured: measured && rounded(measured),
    })
  })
  return `{\n"machine": ${JSON.stringify(machine)},\n"rows": [\n  ${lines.join(",\n  ")}\n]\n}\n`
}

function pageOf(machine: Machine, goals: readonly Goal[], printed: string): string {
  const { date, command, commit, versions, absent, cpus, cpu, memoryGigabytes, kernel, pinned } = machine
  const judged = goals.map((goal) => [
    goal.name,
    goal.goal,
    goal.outcome === "not measured" ? "-" : goal.figure,
    goal.outcome === "not measured" ? `not measured: ${goal.why}` : goal.outcome,
  ])
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    "# What the gateway adds to streamed chat completions",
    "",
    `\`${command}\` wrote this on ${date.slice(0, 10)} at commit ${commit}: ${cpus} CPUs (${cpu}), ${memoryGigabytes} GB, Linux ${kernel}; ${named.join("; ")}.`,
    `${pinned ? "The target had one CPU, upstream and load generator the other. " : ""}Figures are medians of what was kept of ${machine.rounds} rounds; every measurement is in \`relay.json\`.`,
    ...Object.entries(absent).map(([name, why]) => `Not measured: ${name}: ${why}`),
    "",
    ...(judged.length === 0 ? [] : [...aligned([["goal", "wanted", "figure", "verdict"], ...judged]), ""]),
    printed,
    "",
  ].join("\n")
}

function rounded(measured: object): object {
  const entries = Object.entries(measured).map(([name, value]) => [
    name,
    typeof value === "number" ? Number(value.toFixed(3)) : value,
  ])
  return Object.fromEntries(entries)
}

function write(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
