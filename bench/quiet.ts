/**
 * How busy others kept the machine while something was measured. It stands beside every figure: a busy machine makes all
 * of them worse, and none of them wrong enough to be noticed.
 */
import { calm } from "./relay/machine.ts"
import { watched as watchedOnLinux } from "./relay/measure.ts"
import { type Machine as AnyMachine, machineHere } from "./relay/results.ts"

/** CPUs that others may use on average; above it a figure is an indication. */
export const MOST_BUSY = 0.05
/** With fewer a figure is an indication as well. */
export const LEAST_ROUNDS = 3

export interface Watched<Result> {
  readonly result: Result
  /** CPUs that processes outside the bench used, and that the machine below withheld; undefined: not known here. */
  readonly busy: number | undefined
}

/** What a results file says of the place and time of its figures. */
export type Machine = Pick<AnyMachine, "date" | "commit" | "kernel" | "cpu" | "cpus" | "memoryGigabytes"> & {
  readonly node: string
}

/** `wait`: begins when the machine is quiet, or after 10 s. */
export async function watched<Result>(
  work: () => Promise<Result>,
  { wait = true }: { wait?: boolean } = {},
): Promise<Watched<Result>> {
  if (process.platform !== "linux") return { result: await work(), busy: undefined }
  if (wait) await calm(MOST_BUSY)
  const [result, { foreignCpu, stolenCpu }] = await watchedOnLinux(work)
  return { result, busy: foreignCpu + stolenCpu }
}

/** "others used 0.31 CPUs: an indication". */
export function howBusy(busy: number | undefined, rounds: number): string {
  const others =
    busy === undefined ? "what others used is not known here" : `others used ${busy.toFixed(2)} CPUs`
  return isIndication(busy, rounds) ? `${others}: an indication` : others
}

export function isIndication(busy: number | undefined, rounds: number): boolean {
  return busy === undefined || busy > MOST_BUSY || rounds < LEAST_ROUNDS
}

export async function thisMachine(): Promise<Machine> {
  return { ...(await machineHere()), node: process.version }
}
