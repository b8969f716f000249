/** What people write for time and size, as milliseconds and bytes. Pure; `undefined`: it is neither. */

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Powers of 1024, as servers and databases count them. */
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
}

export const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
export const SIZE = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB)$/

/** A timer of the runtime that is asked for more than 2^31 - 1 ms fires at once: whole days that fit. */
export const LONGEST_DURATION = 24 * 86_400_000

/** `250ms`, `2s`, `1.5m`, `1h`, `1d`. The unit is always written: a bare number means another thing to everybody. */
export function parseDuration(text: string): number | undefined {
  return parseAmount(text, DURATION, MILLISECONDS)
}

/** `512KB`, `8MB`, `1.5GB`, again with the unit. */
export function parseSize(text: string): number | undefined {
  return parseAmount(text, SIZE, BYTES)
}

/** The largest unit that leaves a whole number: what `parseDuration` reads back as the same. */
export function formatDuration(milliseconds: number): string {
  const unit =
    ["d", "h", "m", "s"].find((name) => milliseconds > 0 && milliseconds % MILLISECONDS[name]! === 0) ?? "ms"
  return `${milliseconds / MILLISECONDS[unit]!}${unit}`
}

function parseAmount(
  text: string,
  form: RegExp,
  units: Readonly<Record<string, number>>,
): number | undefined {
  const match = text.match(form)
  return match === null ? undefined : Math.round(Number(match[1]) * units[match[2]!]!)
}
