/** One coarse clock for all open answers: whoever has written nothing for a whole interval writes a heartbeat. */
export interface Heart {
  readonly interval: number
  start(beating: Beating): void
  stop(beating: Beating): void
  close(): void
}

export interface Beating {
  /** Ticks since something was written: whoever writes sets it to 0. */
  quiet: number
  beat(): void
}

const TICKS = 15

export function createHeart(interval: number): Heart {
  const all = new Set<Beating>()
  const clock = setInterval(
    () => {
      for (const one of all) {
        if (++one.quiet < TICKS) continue
        one.quiet = 0
        one.beat()
      }
    },
    Math.max(1, interval / TICKS),
  )
  clock.unref()
  return {
    interval,
    start: (beating) => void all.add(beating),
    stop: (beating) => void all.delete(beating),
    close: () => clearInterval(clock),
  }
}
