/**
 * Server-sent events: the canonical bytes of an event. Fields stand in the order `id`, `retry`, `event`, `data`, every
 * line ends with LF, a space follows each colon, and what would say nothing is left out.
 */

export interface SseEventToEncode {
  /** Any line end in it begins another `data:` line; the reader sees LF. */
  data: string
  /** Left out for `message`, which is what a reader takes an unnamed event for. */
  event?: string
  /** `""` is written: it makes the reader forget the last id. */
  id?: string
  /** Milliseconds. */
  retry?: number
}

/** @throws RangeError where the fields could not be read back as they are. */
export function encodeEvent({ data, event, id, retry }: SseEventToEncode): string {
  let text = field("id", id) + field("retry", retry)
  if (event !== "" && event !== "message") text += field("event", event)
  for (const line of linesOf(data)) text += `data: ${line}\n`
  return `${text}\n`
}

/** A comment, for keeping a connection alive: readers pass over it. */
export function encodeComment(text: string): string {
  return `${linesOf(text)
    .map((line) => `: ${line}\n`)
    .join("")}\n`
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/)
}

function field(name: string, value: string | number | undefined): string {
  if (value === undefined) return ""
  const isGood =
    typeof value === "number" ? Number.isSafeInteger(value) && value >= 0 : !/[\r\n\0]/.test(value)
  if (!isGood) throw new RangeError(`An event's ${name} cannot be ${JSON.stringify(value)}.`)
  return `${name}: ${value}\n`
}
