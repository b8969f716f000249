/**
 * Batches work per turn of the event loop: whatever was touched while a turn read its sockets runs once, after all of
 * that turn's reads and after what they appended to the log is kept. So one write to the log carries all streams' new
 * events, one write per stream all that came together, and nothing leaves that a replay would not give.
 */
export interface Turn {
  /** Runs `work` once, when what this turn has appended is visible, however often it is touched. */
  touch(work: Work): void
}

/** What is to be done remembers itself that it is: nothing is looked up for each event. */
export interface Work {
  /** It waits for the turn's end. */
  touched: boolean
  run(): void
}

/** Milliseconds after which the rest of the work waits for the next turn: catching up must not hold up the loop. */
const SLICE = 10
/** The clock is read once for so many: reading it costs as much as the least of them. */
const BETWEEN_LOOKS = 16

export function createTurn(flush: (done: () => void) => void): Turn {
  let waiting: Work[] = []
  let scheduled = false

  function touch(work: Work): void {
    if (work.touched) return
    work.touched = true
    waiting.push(work)
    if (scheduled) return
    scheduled = true
    setImmediate(end)
  }

  function end(): void {
    scheduled = false
    const works = waiting
    waiting = []
    // What is appended from here on belongs to the next turn, and so does who is touched by it.
    for (const work of works) work.touched = false
    flush(() => run(works))
  }

  function run(works: readonly Work[]): void {
    const until = performance.now() + SLICE
    let looked = 0
    let late = false
    for (const work of works) {
      if (++looked % BETWEEN_LOOKS === 0) late ||= performance.now() >= until
      if (late) touch(work)
      else work.run()
    }
  }

  return { touch }
}

/** To be done once. */
export function once(run: () => void): Work {
  return { touched: false, run }
}
