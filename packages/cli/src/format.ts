/** Numbers as people read them: 1,234; $0.0021; 4.8 s; 3 minutes ago. */

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })

export function formatCount(count: number): string {
  return WHOLE.format(count)
}

/** Dollars as the admin API writes them, a decimal string: two decimals, and where those say too little, two digits. */
export function formatUsd(usd: string): string {
  const [, sign = "", whole = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(usd) ?? []
  if (/^0*$/.test(whole + fraction)) return "$0"
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0
  const digits = /^0*$/.test(whole) ? Math.max(2, zeros + 2) : 2
  const rounded = roundDecimal(whole, fraction, digits)
  return `${sign}$${rounded}`
}

/** Whole numbers, so that no cost is changed by a binary fraction on its way to the screen. */
function roundDecimal(whole: string, fraction: string, digits: number): string {
  const shifted = BigInt(whole + fraction.padEnd(digits, "0").slice(0, digits))
  const up = (fraction[digits] ?? "0") >= "5" ? 1n : 0n
  const text = String(shifted + up).padStart(digits + 1, "0")
  const decimals = text.slice(-digits).replace(/(?<=\d\d)0+$/, "")
  return `${WHOLE.format(BigInt(text.slice(0, -digits)))}.${decimals}`
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1_000
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const minutes = Math.round(seconds / 60)
  if (seconds < 3_570) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function formatRate(tokensPerSecond: number): string {
  return `${tokensPerSecond < 100 ? tokensPerSecond.toFixed(1) : formatCount(tokensPerSecond)} tokens/s`
}

const SPOKEN = new Intl.RelativeTimeFormat("en", { numeric: "auto" })
const UNITS = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const

/** `3 minutes ago`, `in 2 days`; within a minute `just now`. */
export function formatAge(time: string, now = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1_000
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length)
  if (unit === undefined) return seconds > 0 ? "in a moment" : "just now"
  return SPOKEN.format(Math.trunc(seconds / unit[1]), unit[0])
}

/** Of this machine's day: a line of a log that runs. */
export function formatClock(time: string): string {
  return new Date(time).toTimeString().slice(0, 8)
}

/** For machines: members by the names of the wire, as in the admin API's documentation. */
export function toJson(value: unknown): string {
  return JSON.stringify(inSnakeCase(value))
}

function inSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inSnakeCase)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      inSnakeCase(member),
    ]),
  )
}

export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`
}

/** A spreadsheet would run what begins like a formula, and clients choose their own names. */
function csvCell(cell: string | number | null): string {
  if (typeof cell !== "string") return cell === null ? "" : String(cell)
  const plain = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
