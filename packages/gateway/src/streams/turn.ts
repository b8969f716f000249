/**
 * Batches work per turn of the event loop: whatever was touched while a turn read its sockets runs once, after all of
 * that turn's reads and after what they appended to the log is kept. So one write to the log carries all streams' new
 * events, one write per stream all that came together, and nothing leaves that a replay would not give.
 */
export interface Turn {
  /** Runs `work` once, when what this turn has appended is visible, however often it is touched. */
  touch(work: () => void): void
}

/** Milliseconds after which the rest of the work waits for the next turn: catching up must not hold up the loop. */
const SLICE = 10
/** The clock is read once for so many: reading it costs as much as the least of them. */
const BETWEEN_LOOKS = 16

export function createTurn(flush: (done: () => void) => void): Turn {
  let waiting = new Set<() => void>()
  let scheduled = false

  function touch(work: () => void): void {
    waiting.add(work)
    if (scheduled) return
    scheduled = true
    setImmediate(end)
  }

  function end(): void {
    scheduled = false
    const works = waiting
    waiting = new Set()
    flush(() => run(works))
  }

  function run(works: Set<() => void>): void {
    const until = performance.now() + SLICE
    let looked = 0
    let late = false
    for (const work of works) {
      if (++looked % BETWEEN_LOOKS === 0) late ||= performance.now() >= until
      if (late) touch(work)
      else work()
    }
  }

  return { touch }
}
