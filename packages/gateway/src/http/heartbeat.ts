/** One coarse clock for all open answers: whoever has written nothing for a whole interval writes a heartbeat. */
export interface Heart {
  start(beat: () => void): Beat
  readonly interval: number
  close(): void
}

export interface Beat {
  /** Something was written: the interval begins anew. */
  touch(): void
  stop(): void
}

export function createHeart(interval: number): Heart {
  const TICKS = 15
  const beating = new Set<{ beat: () => void; quiet: number }>()
  const clock = setInterval(
    () => {
      for (const one of beating) {
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
    start(beat) {
      const one = { beat, quiet: 0 }
      beating.add(one)
      return {
        touch() {
          one.quiet = 0
        },
        stop: () => void beating.delete(one),
      }
    },
    close: () => clearInterval(clock),
  }
}
