/** In which order candidates are asked: each strategy is a pure function of what is known of them. */
import type { Figures } from "./health.ts"
import type { Candidate, WeightedCandidate } from "./plan.ts"

export type Strategy = "ordered" | "weighted" | "least-busy" | "latency" | "throughput" | "cost"

/** What a strategy may look at. */
export interface View {
  figuresOf(candidate: Candidate): Figures
  priceOf(candidate: Candidate): CandidatePrice | undefined
  /** 0 ≤ x < 1 */
  random(): number
}

/** USD: per million tokens, and per call. */
export interface CandidatePrice {
  readonly prompt: number
  readonly completion: number
  readonly request: number
}

export function inOrder(
  candidates: readonly WeightedCandidate[],
  strategy: Strategy,
  view: View,
): readonly WeightedCandidate[] {
  if (candidates.length < 2) return candidates
  switch (strategy) {
    case "ordered":
      return candidates
    case "weighted":
      return byLowest(candidates, ({ weight }) => lot(weight, view.random()))
    case "least-busy":
      return byLowest(candidates, (candidate) => view.figuresOf(candidate).busy)
    case "latency":
      return byLowest(candidates, (candidate) =>
        unknownFirst(view.figuresOf(candidate), ({ firstContent }) => firstContent),
      )
    case "throughput":
      return byLowest(candidates, (candidate) =>
        unknownFirst(view.figuresOf(candidate), ({ rate }) => (rate === undefined ? undefined : -rate)),
      )
    case "cost":
      return byLowest(candidates, (candidate) => mixedPrice(view.priceOf(candidate)))
  }
}

/**
 * Such that the lowest of several is this one as often as its weight's share of all says, and so on among the rest
 * (Efraimidis and Spirakis): one draw orders them all.
 */
export function lot(weight: number, random: number): number {
  return -Math.log(1 - random) / weight
}

/** Somebody has to be asked to become known; while that one is being asked, the others are. */
function unknownFirst(figures: Figures, figure: (figures: Figures) => number | undefined): number {
  const known = figure(figures)
  if (known !== undefined) return known
  return figures.busy > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
}

/** A call reads about three times what it writes. Without a price: last. */
function mixedPrice(price: CandidatePrice | undefined): number {
  return price === undefined ? Number.POSITIVE_INFINITY : 3 * price.prompt + price.completion
}

/** Stable: equals stay in the order that they were written in. */
export function byLowest<Item>(items: readonly Item[], rank: (item: Item) => number): Item[] {
  return items
    .map((item) => ({ item, value: rank(item) }))
    .sort((a, b) => (a.value === b.value ? 0 : a.value < b.value ? -1 : 1))
    .map(({ item }) => item)
}
