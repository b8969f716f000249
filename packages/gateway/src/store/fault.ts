/**
 * For tests: the n-th statement that the store sends to its database fails. The cells are shared memory, so that one
 * fault serves the event loop and the store's threads alike. BEGIN and COMMIT are statements too; a fault `after` a
 * COMMIT is the answer that is lost on its way: done, and nobody knows.
 */

export interface Fault {
  /**
   * Called before each statement, and what it gives after it; each throws when it is this statement's turn. Several run at
   * once, on several connections and threads, so that the end must know whose it is.
   */
  begin(): () => void
  readonly cells: Int32Array
}

export interface FaultSwitch extends Fault {
  /** From now on the n-th statement (1, 2, 3 …) fails, and `times - 1` more after it. */
  arm(n: number, when?: "before" | "after", times?: number): void
  /** Statements since it was armed. */
  count(): number
  /** How many have failed. */
  failed(): number
}

const COUNT = 0
const FIRST = 1
const TIMES = 2
const AFTER = 3
const FAILED = 4

export function createFault(): FaultSwitch {
  const fault = faultFrom(new Int32Array(new SharedArrayBuffer(5 * Int32Array.BYTES_PER_ELEMENT)))
  const { cells } = fault
  return {
    ...fault,
    arm(n, when = "before", times = 1) {
      Atomics.store(cells, FIRST, n)
      Atomics.store(cells, TIMES, times)
      Atomics.store(cells, AFTER, when === "after" ? 1 : 0)
      Atomics.store(cells, FAILED, 0)
      Atomics.store(cells, COUNT, 0)
    },
    count: () => Atomics.load(cells, COUNT),
    failed: () => Atomics.load(cells, FAILED),
  }
}

export function faultFrom(cells: Int32Array): Fault {
  /** 0: it was never armed. */
  const due = (statement: number): boolean => {
    const first = Atomics.load(cells, FIRST)
    return first > 0 && statement >= first && statement < first + Atomics.load(cells, TIMES)
  }
  const fail = (when: number, statement: number): void => {
    if (Atomics.load(cells, AFTER) !== when || !due(statement)) return
    Atomics.add(cells, FAILED, 1)
    throw new Error(`statement ${statement} was made to fail`)
  }
  return {
    cells,
    begin() {
      const statement = Atomics.add(cells, COUNT, 1) + 1
      fail(0, statement)
      return () => fail(1, statement)
    },
  }
}
