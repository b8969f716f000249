/**
 * What one operation costs: time and bytes. A case is measured alone, warm, and several times in one process; the median
 * of the batches counts, since what else happens on the machine meets some of them.
 *
 * Bytes are what the heap has grown by over a row of operations during which nothing was collected: the young generation
 * is made large enough for that (`--min-semi-space-size`), and a row in which the heap shrank all the same is not counted.
 * What Buffers have outside the heap is counted apart.
 */
import { memoryUsage } from "node:process"
import { getHeapStatistics } from "node:v8"
import { do_not_optimize, measure } from "mitata"

export interface Case {
  readonly name: string
  /** What it gives is kept from being optimized away. */
  run(): unknown
  /** How many operations one run is (default 1). */
  readonly operations?: number
  close?(): unknown
}

/** Of one operation. */
export interface CaseFigures {
  readonly name: string
  readonly nanoseconds: number
  readonly heapBytes: number
  readonly outsideBytes: number
}

/** Operations in a row while bytes are counted: a few megabytes at most. */
const ROW = 1_000
const ROWS = 15
/**
 * Milliseconds of a batch: long beside the clock's own cost, and so short that what else runs on the machine seldom falls
 * into one.
 */
const BATCH = 0.1

export async function figuresOf(one: Case, milliseconds: number): Promise<CaseFigures> {
  const { name, operations = 1 } = one
  try {
    const run = (): unknown => one.run()
    const { p50 } = await measure(run, {
      min_cpu_time: milliseconds * 1e6,
      batch_samples: runsWithin(run, BATCH),
    })
    const { heap, outside } = bytesOf(run, Math.ceil(ROW / operations))
    return {
      name,
      nanoseconds: p50 / operations,
      heapBytes: heap / operations,
      outsideBytes: outside / operations,
    }
  } finally {
    await one.close?.()
  }
}

/** How often it can be run within so many milliseconds, once it is warm; a multiple of the four that are unrolled. */
function runsWithin(run: () => unknown, milliseconds: number): number {
  const times = Array.from({ length: 200 }, () => {
    const begun = performance.now()
    do_not_optimize(run())
    return performance.now() - begun
  })
  const each = median(times.slice(100))
  return 4 * Math.min(1_024, Math.max(1, Math.round(milliseconds / each / 4)))
}

interface Bytes {
  readonly heap: number
  readonly outside: number
}

function bytesOf(run: () => unknown, row: number): Bytes {
  const nothing = rowOf(() => undefined, row)
  const { heap, outside } = rowOf(run, row)
  return { heap: Math.max(0, heap - nothing.heap), outside: Math.max(0, outside - nothing.outside) }
}

function rowOf(run: () => unknown, row: number): Bytes {
  const heap: number[] = []
  const outside: number[] = []
  globalThis.gc?.()
  for (let count = 0; count < ROWS; count++) {
    const before = memoryNow()
    for (let number = 0; number < row; number++) do_not_optimize(run())
    const after = memoryNow()
    if (after.heap < before.heap) continue
    heap.push((after.heap - before.heap) / row)
    outside.push((after.outside - before.outside) / row)
  }
  if (heap.length === 0)
    throw new Error("the heap was collected in each row: it needs a larger young generation")
  return { heap: median(heap), outside: median(outside) }
}

function memoryNow(): Bytes {
  return { heap: getHeapStatistics().used_heap_size, outside: memoryUsage().arrayBuffers }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}
