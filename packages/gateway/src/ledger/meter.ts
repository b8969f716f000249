/**
 * What one call was like, measured as its events go by: when the first content came, how evenly the rest followed.
 * Nothing is kept per event but a count in one of the buckets of a histogram.
 */
export interface Meter {
  /** An event with content has been relayed. */
  content(now: number): void
  /** How many characters of text have been relayed; for an estimate where a provider reports no usage. */
  relayed(characters: number): void
  reading(now: number): MeterReading
}

/** Milliseconds throughout; undefined: there was nothing to measure. */
export interface MeterReading {
  readonly timeToFirstContent: number | undefined
  readonly total: number
  readonly gapP50: number | undefined
  readonly gapP99: number | undefined
  readonly longestStall: number | undefined
  readonly contentEvents: number
  readonly relayedCharacters: number
}

/** Buckets of a tenth more each: a percentile is right within 10 %, from 10 µs to three hours. */
const BUCKETS = 220
const SMALLEST = 0.01
const STEP = Math.log(1.1)

export function createMeter(startedAt: number): Meter {
  const gaps = new Uint32Array(BUCKETS)
  let firstAt: number | undefined
  let lastAt = 0
  let events = 0
  let longest = 0
  let characters = 0

  return {
    content(now) {
      events++
      if (firstAt === undefined) firstAt = now
      else {
        const gap = now - lastAt
        gaps[bucketOf(gap)]! += 1
        if (gap > longest) longest = gap
      }
      lastAt = now
    },
    relayed(count) {
      characters += count
    },
    reading: (now) => ({
      timeToFirstContent: firstAt === undefined ? undefined : firstAt - startedAt,
      total: now - startedAt,
      gapP50: percentile(gaps, events - 1, 0.5),
      gapP99: percentile(gaps, events - 1, 0.99),
      longestStall: events > 1 ? longest : undefined,
      contentEvents: events,
      relayedCharacters: characters,
    }),
  }
}

function bucketOf(gap: number): number {
  if (gap <= SMALLEST) return 0
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(gap / SMALLEST) / STEP))
}

/** The upper edge of the bucket in which the p-th gap lies. */
function percentile(gaps: Uint32Array, count: number, p: number): number | undefined {
  if (count <= 0) return undefined
  const rank = Math.ceil(count * p)
  let seen = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += gaps[bucket]!
    if (seen >= rank) return SMALLEST * Math.exp(bucket * STEP)
  }
  return undefined
}
