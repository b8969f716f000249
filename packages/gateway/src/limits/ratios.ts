/**
 * Tokens per byte, model by model, from what settled calls have shown. A model that has shown little is taken at one
 * token a byte, which no text exceeds; what a provider adds of its own (a hidden prompt, a template) is learned apart,
 * since it does not grow with the prompt.
 *
 * The ratio is never below any of the last RECENT calls' and never below mean and three deviations of all, the older
 * counting less and less. A call above it is therefore rare, and possible: see `bound.ts`.
 */
import type { PromptSize } from "./bound.ts"

export interface Ratios {
  /** The most prompt tokens that a request of this size is likely to have. */
  promptBound(model: string, size: PromptSize): number
  /** After a call has been settled, with the prompt tokens that its provider reported. */
  learn(model: string, size: PromptSize, promptTokens: number): void
}

/** Calls that are remembered one by one, and how many must have been seen before less than a token a byte is held. */
const RECENT = 32
const LEAST = 8
/** How much one call moves mean and variance. */
const WEIGHT = 1 / 16
const DEVIATIONS = 3
/** Below this many bytes a prompt says little about the ratio, and costs little at one token a byte. */
const SMALL = 1_024
/** The models that were used last are the ones that are remembered. */
const MOST_MODELS = 1_000

interface Learned {
  seen: number
  mean: number
  variance: number
  /** The last RECENT calls in turn: tokens per byte, and tokens above one a byte. */
  readonly ratios: Float64Array
  measured: number
  readonly extras: Float64Array
}

export function createRatios(): Ratios {
  const models = new Map<string, Learned>()

  return {
    promptBound(model, { bytes, mediaTokens }) {
      const learned = models.get(model)
      if (learned === undefined) return bytes + mediaTokens
      const text = Math.max(Math.min(bytes, SMALL), Math.ceil(bytes * ratioOf(learned)))
      return text + largest(learned.extras) + mediaTokens
    },
    learn(model, { bytes, mediaTokens }, promptTokens) {
      // Which of the tokens were a picture's, nobody says.
      if (mediaTokens > 0 || bytes <= 0 || !Number.isSafeInteger(promptTokens) || promptTokens <= 0) return
      const learned = models.get(model) ?? nothing()
      models.delete(model)
      models.set(model, learned)
      if (models.size > MOST_MODELS) models.delete(models.keys().next().value ?? "")

      learned.extras[learned.seen % RECENT] = Math.max(0, promptTokens - bytes)
      learned.seen += 1
      if (bytes >= SMALL) measure(learned, Math.min(1, promptTokens / bytes))
    },
  }
}

function nothing(): Learned {
  const [ratios, extras] = [new Float64Array(RECENT), new Float64Array(RECENT)]
  return { seen: 0, mean: 0, variance: 0, ratios, measured: 0, extras }
}

function measure(learned: Learned, ratio: number): void {
  learned.ratios[learned.measured % RECENT] = ratio
  learned.measured += 1
  const weight = Math.max(WEIGHT, 1 / learned.measured)
  const distance = ratio - learned.mean
  learned.mean += weight * distance
  learned.variance = (1 - weight) * (learned.variance + weight * distance * distance)
}

function largest(numbers: Float64Array): number {
  let most = 0
  for (let at = 0; at < numbers.length; at++) if (numbers[at]! > most) most = numbers[at]!
  return most
}

function ratioOf({ measured, mean, variance, ratios }: Learned): number {
  if (measured < LEAST) return 1
  return Math.min(1, Math.max(largest(ratios), mean + DEVIATIONS * Math.sqrt(variance)))
}
