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
  const utf8 = new TextDecoder() // takes the byte order mark off, and puts U+FFFD where bytes are none
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
    else if (field === "retry" && /^[0-9]+$/.test(value)) onRetry?.(Number(value))
  }

  function dispatch() {
    if (data.length > 0) onEvent({ event: name || "message", data: data.join("\n"), id })
    data = []
    name = ""
  }
}
