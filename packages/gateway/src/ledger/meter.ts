/**
 * What one call was like, measured as its events go by: when the first content came, how evenly the rest followed.
 * Nothing is kept per event but a count in one of the buckets of a histogram.
 */
/** Milliseconds throughout; undefined: there was nothing to measure. */
export interface MeterReading {
  readonly timeToFirstContent: number | undefined
  readonly total: number
  readonly gapP50: number | undefined
  readonly gapP99: number | undefined
  readonly longestStall: number | undefined
}

/** Buckets of a tenth more each: a percentile is right within 10 %, from 10 µs to three hours. */
const BUCKETS = 220
const SMALLEST = 0.01
const STEP = Math.log(1.1)

/** Where in a meter's numbers what stands; the buckets come last. */
const [LAST, LONGEST, GAPS] = [0, 1, 2] as const
const NO_NUMBERS = new Float64Array()

/**
 * A class for the machine: each event comes here. What changes with each is in one array, so that setting it allocates
 * nothing; an answer in one piece has none.
 */
export class Meter {
  /** Events with content that were relayed. */
  events = 0
  /** Of text that was relayed; for an estimate where a provider reports no usage. */
  characters = 0
  readonly #startedAt: number
  #firstAt = 0
  #numbers = NO_NUMBERS

  constructor(startedAt: number) {
    this.#startedAt = startedAt
  }

  /** An event with so many characters of content is relayed. */
  content(now: number, characters: number): void {
    this.characters += characters
    const event = ++this.events
    if (event === 1) {
      this.#firstAt = now
      return
    }
    if (event === 2) {
      this.#numbers = new Float64Array(GAPS + BUCKETS)
      this.#numbers[LAST] = this.#firstAt
    }
    const numbers = this.#numbers
    const gap = now - numbers[LAST]!
    numbers[GAPS + bucketOf(gap)]! += 1
    if (gap > numbers[LONGEST]!) numbers[LONGEST] = gap
    numbers[LAST] = now
  }

  /** Completion tokens so far, as far as can be told without counting. */
  get roughTokens(): number {
    return Math.max(this.events, Math.ceil(this.characters / 4))
  }

  reading(now: number): MeterReading {
    const gaps = this.#numbers.subarray(GAPS)
    return {
      timeToFirstContent: this.events === 0 ? undefined : this.#firstAt - this.#startedAt,
      total: now - this.#startedAt,
      gapP50: percentile(gaps, this.events - 1, 0.5),
      gapP99: percentile(gaps, this.events - 1, 0.99),
      longestStall: this.events > 1 ? this.#numbers[LONGEST]! : undefined,
    }
  }
}

function bucketOf(gap: number): number {
  if (gap <= SMALLEST) return 0
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(gap / SMALLEST) / STEP))
}

/** The upper edge of the bucket in which the p-th gap lies. */
function percentile(gaps: Float64Array, count: number, p: number): number | undefined {
  if (count <= 0) return undefined
  const rank = Math.ceil(count * p)
  let seen = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    seen += gaps[bucket]!
    if (seen >= rank) return SMALLEST * Math.exp(bucket * STEP)
  }
  return undefined
}
