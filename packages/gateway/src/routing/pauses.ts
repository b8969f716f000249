/** A provider is paused while anybody wants it to be: its readers are slow, or its hold does not cover more yet. */
export type PauseReason = "readers" | "hold"

export interface Pauses {
  set(reason: PauseReason, wanted: boolean): void
}

export function createPauses(change: (paused: boolean) => void): Pauses {
  const reasons: Record<PauseReason, boolean> = { readers: false, hold: false }
  return {
    set(reason, wanted) {
      if (wanted === reasons[reason]) return
      reasons[reason] = wanted
      change(reasons.readers || reasons.hold)
    },
  }
}
