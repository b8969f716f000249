/** Three digits that count: 0.123, 1.23, 12.3, 1,234. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString("en")
  return String(Number(value.toPrecision(3)))
}
