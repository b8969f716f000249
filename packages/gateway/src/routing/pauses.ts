/** A provider is paused while anybody wants it to be: its readers are slow, or its hold does not cover more yet. */
export type PauseReason = "readers" | "hold"

export interface Pauses {
  set(reason: PauseReason, wanted: boolean): void
}

export function createPauses(change: (paused: boolean) => void): Pauses {
  const reasons = new Set<PauseReason>()
  return {
    set(reason, wanted) {
      if (wanted === reasons.has(reason)) return
      if (wanted) reasons.add(reason)
      else reasons.delete(reason)
      change(reasons.size > 0)
    },
  }
}
