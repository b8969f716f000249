/**
 * Batches work per turn of the event loop: whatever was touched while a turn read its sockets runs once, after
 * all of that turn's reads. So one write per stream carries all events that came together.
 */
export interface Turn {
  /** Runs `work` once at the end of this turn, however often it is touched. */
  touch(work: () => void): void
}

export function createTurn(): Turn {
  let waiting = new Set<() => void>()
  let scheduled = false

  function run(): void {
    scheduled = false
    const works = waiting
    waiting = new Set()
    for (const work of works) work()
  }

  return {
    touch(work) {
      waiting.add(work)
      if (scheduled) return
      scheduled = true
      setImmediate(run)
    },
  }
}
