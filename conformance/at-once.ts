/** Work on a list with so many hands; what each gave, in the list's order. */
export async function atOnce<Item, Result>(
  hands: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const left = [...items.entries()].reverse()
  async function take(): Promise<void> {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      results[next[0]] = await work(next[1])
    }
  }
  await Promise.all(Array.from({ length: hands }, take))
  return results
}
