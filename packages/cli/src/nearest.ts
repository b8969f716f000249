/** The name that was probably meant; undefined where none is near. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  const reach = Math.max(1, Math.floor(written.length / 3))
  const [best] = known
    .map((name) => ({ name, distance: distanceOf(written, name) }))
    .filter(({ name, distance }) => distance <= reach || (written.length > 2 && name.startsWith(written)))
    .sort((one, other) => one.distance - other.distance)
  return best?.name
}

/** Insertions, deletions and replacements that lead from one to the other, a swap of neighbours counting as one. */
function distanceOf(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwap =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      current.push(
        Math.min(
          rows[row - 1]![column - 1]! + (isSame ? 0 : 1),
          rows[row - 1]![column]! + 1,
          current[column - 1]! + 1,
          ...(isSwap ? [rows[row - 2]![column - 2]! + 1] : []),
        ),
      )
    }
    rows.push(current)
  }
  return rows.at(-1)!.at(-1)!
}
