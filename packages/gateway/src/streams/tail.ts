/**
 * The newest events of a stream, in memory: whoever keeps up never asks the disk. Two generations, of which the older
 * goes as a whole, so that nothing is cut or copied.
 */
export interface Tail {
  /** The number of the oldest event that is here; one past the newest when there is none. */
  readonly first: number
  push(event: Uint8Array): void
  get(seq: number): Uint8Array
  /** Lets the older generation go if the newer one has grown enough. */
  age(): void
  /** Takes back the events after `seq`. */
  cutAfter(seq: number): void
  /** Forgets all, as if `next` were the next event to come. */
  clear(next: number): void
}

const GENERATION = 16 << 10

export function createTail(): Tail {
  let first = 1
  let older: Uint8Array[] = []
  let newer: Uint8Array[] = []
  let newerBytes = 0

  return {
    get first() {
      return first
    },
    push(event) {
      newer.push(event)
      newerBytes += event.length
    },
    get(seq) {
      const index = seq - first
      return index < older.length ? older[index]! : newer[index - older.length]!
    },
    age() {
      if (newerBytes < GENERATION) return
      first += older.length
      older = newer
      newer = []
      newerBytes = 0
    },
    cutAfter(seq) {
      const keep = Math.max(0, seq + 1 - first)
      newer = [...older, ...newer].slice(0, keep)
      older = []
      newerBytes = newer.reduce((sum, event) => sum + event.length, 0)
    },
    clear(next) {
      first = next
      older = []
      newer = []
      newerBytes = 0
    },
  }
}
