// @ts-check
/**
 * Server-sent events by the WHATWG rules (https://html.spec.whatwg.org/#event-stream-interpretation), for any split of
 * the bytes. The browser's own EventSource cannot send a key, so the page reads the stream by itself.
 *
 * @typedef {{ event: string, data: string, id: string }} ServerEvent
 *
 * @param {{ onEvent: (event: ServerEvent) => void, onRetry?: (milliseconds: number) => void }} listener
 * @returns {{ push(bytes: Uint8Array): void }}
 */
export function createEventReader({ onEvent, onRetry }) {
  // The byte order mark is taken off here: not every decoder leaves the second of two where it is.
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
  let isAtStart = true
  let rest = ""
  let isBehindCr = false
  let name = ""
  let id = ""
  /** @type {string[]} */
  let data = []

  return {
    push(bytes) {
      let text = utf8.decode(bytes, { stream: true })
      if (text === "") return
      if (isAtStart && text.startsWith("\uFEFF")) text = text.slice(1)
      isAtStart = false
      if (isBehindCr && text.startsWith("\n")) text = text.slice(1) // the second half of a CRLF
      isBehindCr = text.endsWith("\r")
      const lines = text.split(/\r\n|\n|\r/)
      lines[0] = rest + lines[0]
      rest = lines.pop() ?? ""
      lines.forEach(takeLine)
    },
  }

  /** @param {string} line */
  function takeLine(line) {
    if (line === "") return dispatch()
    const colon = line.indexOf(":")
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (field === "data") data.push(value)
    else if (field === "event") name = value
    else if (field === "id" && !value.includes("\0")) id = value
    else if (field === "retry" && /^[0-9]+$/.test(value))
      onRetry?.(Math.min(Number(value), Number.MAX_SAFE_INTEGER))
  }

  function dispatch() {
    if (data.length > 0) onEvent({ event: name || "message", data: data.join("\n"), id })
    data = []
    name = ""
  }
}
