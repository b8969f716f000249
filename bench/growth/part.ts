/** One thing that grows, and what is measured at each of its points. */

export interface Measure {
  readonly name: string
  readonly unit: string
}

export interface Point {
  readonly at: number
  /** One for each measure. */
  readonly values: readonly number[]
}

export interface Part {
  /** What there is more and more of: "stored keys". */
  readonly of: string
  /** How it was measured, in a sentence or two. */
  readonly how: string
  readonly measures: readonly Measure[]
  readonly points: readonly number[]
  /** Gives the points in this order, each as often as asked, one after the other. */
  measure(points: readonly number[], rounds: number): AsyncIterable<Point>
}

export interface GrownPoint extends Point {
  readonly rounds: number
  /** CPUs that others used meanwhile; undefined: not known here. */
  readonly busy: number | undefined
}

export interface Grown {
  readonly of: string
  readonly how: string
  readonly measures: readonly Measure[]
  readonly points: readonly GrownPoint[]
}
