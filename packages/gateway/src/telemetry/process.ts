/** What the process says of itself at a scrape: memory, time, and how late its event loop is. */
import { monitorEventLoopDelay, performance } from "node:perf_hooks"

export interface ProcessReadings {
  readonly delayP50: () => number
  readonly delayP99: () => number
  readonly delayMax: () => number
  readonly loopTime: () => Iterable<readonly [labels: readonly string[], value: number]>
  readonly cpu: () => number
  readonly memory: () => number
  readonly heap: () => number
  readonly startTime: () => number
}

export interface ProcessWatch {
  readonly readings: ProcessReadings
  /** A scrape begins: all that it reads of the loop's delay is of one span. */
  scraped(): void
  close(): void
}

/** Milliseconds between two looks at the loop. A look that comes in time is this far from the one before. */
const RESOLUTION = 20
/** Two who scrape, or a person who looks between, must not leave each other empty spans. */
const SHORTEST_SPAN = 10_000

export function watchProcess(now: () => number = () => performance.now()): ProcessWatch {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  const startedAt = Math.round(performance.timeOrigin) / 1_000
  let since = now()
  let p50 = 0
  let p99 = 0
  let max = 0

  return {
    readings: {
      delayP50: () => p50,
      delayP99: () => p99,
      delayMax: () => max,
      loopTime() {
        const { active, idle } = performance.eventLoopUtilization()
        return [
          [["active"], active / 1_000],
          [["idle"], idle / 1_000],
        ]
      },
      cpu() {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1e6
      },
      memory: () => process.memoryUsage.rss(),
      heap: () => process.memoryUsage().heapUsed,
      startTime: () => startedAt,
    },
    scraped() {
      if (delay.count === 0) return
      p50 = late(delay.percentile(50))
      p99 = late(delay.percentile(99))
      max = late(delay.max)
      if (now() - since < SHORTEST_SPAN) return
      since = now()
      delay.reset()
    },
    close: () => void delay.disable(),
  }
}

function late(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION) / 1_000
}
