/** Growth is judged by quarters of a run: the first is left out, and one sample alone says little. */

export function quarter(samples: readonly number[], which: 2 | 4): readonly number[] {
  const size = samples.length / 4
  return samples.slice(Math.floor(size * (which - 1)), Math.ceil(size * which))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}
