/** Whether work grows with its size and no faster, on a machine that does other things as well. */
import assert from "node:assert/strict"

/** So many times the size. What is quadratic takes so many times as long as the same amount in so many pieces. */
const FACTOR = 8
const ATTEMPTS = 10

/**
 * The same amount of work twice over: in one piece of `size`, and in eight of an eighth. Where time is in proportion to
 * size they take equally long, where it is quadratic the one piece takes eight times as long; three is the middle. What
 * counts is the processor's time in this thread, which other processes do not lengthen, and of several attempts, taken
 * in turn, the best of each.
 */
export function assertLinear(size: number, work: (size: number) => void): void {
  const inPieces = () => {
    for (let piece = 0; piece < FACTOR; piece++) work(size / FACTOR)
  }
  const inOnePiece = () => work(size)
  inPieces()
  let pieces = Number.POSITIVE_INFINITY
  let onePiece = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    pieces = Math.min(pieces, processorTime(inPieces))
    onePiece = Math.min(onePiece, processorTime(inOnePiece))
    if (attempt > 0 && onePiece < 3 * pieces) return
  }
  assert.fail(`${onePiece} µs for ${size} in one piece, ${pieces} µs for as much in ${FACTOR}`)
}

/** In microseconds. */
function processorTime(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return user + system
}
