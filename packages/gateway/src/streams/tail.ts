/**
 * The newest events of a stream, in memory: whoever keeps up never asks the disk. Two generations, of which the older
 * goes as a whole, so that nothing is cut or copied.
 */
export class Tail {
  /** The number of the oldest event that is here; one past the newest when there is none. */
  first = 1
  #older: Uint8Array[] = NONE
  #newer: Uint8Array[] = NONE
  #newerBytes = 0

  push(event: Uint8Array): void {
    if (this.#newer === NONE) this.#newer = [event]
    else this.#newer.push(event)
    this.#newerBytes += event.length
  }

  get(seq: number): Uint8Array {
    const index = seq - this.first
    const older = this.#older.length
    return index < older ? this.#older[index]! : this.#newer[index - older]!
  }

  /** Lets the older generation go if the newer one has grown enough. */
  age(): void {
    if (this.#newerBytes < GENERATION) return
    this.first += this.#older.length
    this.#older = this.#newer
    this.#newer = NONE
    this.#newerBytes = 0
  }

  /** Takes back the events after `seq`. */
  cutAfter(seq: number): void {
    const keep = Math.max(0, seq + 1 - this.first)
    this.#newer = [...this.#older, ...this.#newer].slice(0, keep)
    this.#older = NONE
    this.#newerBytes = this.#newer.reduce((sum, event) => sum + event.length, 0)
  }

  /** Forgets all, as if `next` were the next event to come. */
  clear(next: number): void {
    this.first = next
    this.#older = NONE
    this.#newer = NONE
    this.#newerBytes = 0
  }
}

/** Shared by all that have nothing, and never written to. */
const NONE: Uint8Array[] = []
const GENERATION = 16 << 10
