/** Whether work grows with its size and no faster, on a machine that does other things as well. */
import assert from "node:assert/strict"

/** So many times the size. What is quadratic takes so many times as long as the same amount in so many pieces. */
const FACTOR = 8
const ATTEMPTS = 6
/** Linear work comes to 1 and quadratic work to 8: below the first no further attempt is needed, below the second it passes. */
const CLEAR = 2
const MIDDLE = 3
/** The kernel may count a thread's time in ticks of 4 ms: what is measured must be long beside one. In microseconds. */
const LONG_ENOUGH = 40_000

/**
 * The same amount of work twice over: in one piece of `size`, and in eight of an eighth. Where time is in proportion to
 * size they take equally long, where it is quadratic the one piece takes eight times as long. What counts is the
 * processor's time in this thread, which other processes do not lengthen, and of several attempts, taken in turn, the
 * best of each.
 */
export function assertLinear(size: number, work: (size: number) => void): void {
  const inPieces = (times: number) => {
    for (let piece = 0; piece < FACTOR * times; piece++) work(size / FACTOR)
  }
  const inOnePiece = (times: number) => {
    for (let time = 0; time < times; time++) work(size)
  }
  const times = timesToTake(LONG_ENOUGH, inPieces)
  let pieces = Number.POSITIVE_INFINITY
  let onePiece = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    pieces = Math.min(pieces, processorTime(inPieces, times))
    onePiece = Math.min(onePiece, processorTime(inOnePiece, times))
    if (attempt > 0 && onePiece < CLEAR * pieces) return
  }
  if (onePiece < MIDDLE * pieces) return
  assert.fail(`${onePiece} µs for ${times} × ${size} in one piece, ${pieces} µs for as much in ${FACTOR}`)
}

function timesToTake(microseconds: number, work: (times: number) => void): number {
  let times = 1
  while (processorTime(work, times) < microseconds) times *= 2
  return times
}

/** In microseconds. */
function processorTime(work: (times: number) => void, times: number): number {
  const before = process.threadCpuUsage()
  work(times)
  const { user, system } = process.threadCpuUsage(before)
  return user + system
}
