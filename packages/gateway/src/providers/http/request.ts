/** A request as it is written, to a connection of its own or to one that is shared. */

export interface HttpRequest {
  /** From `headOf`: the same for all requests to one place, so it is made once. */
  readonly head: RequestHead
  readonly body?: string
}

export interface RequestHead {
  /** HTTP/1.1's, up to where the length of the body stands. */
  readonly text: string
  /** HTTP/2's. */
  readonly fields: Readonly<Record<string, string>>
}

/** `path`: with its query, as `URL` writes it. The names of the headers are lower case. */
export function headOf(
  method: "GET" | "POST",
  authority: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): RequestHead {
  const fields: Record<string, string> = { ":method": method, ":path": path, ":authority": authority }
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n`
  for (const name in headers) {
    const value = headers[name]!
    // A value with a line end in it would be two headers, or two requests.
    if (!/^[\t\x20-\x7e]*$/.test(value)) throw new Error(`the value of the header '${name}' cannot be sent`)
    text += `${name}: ${value}\r\n`
    fields[name] = value
  }
  return { text, fields }
}

/** Head and body in one: they are one write. */
export function textOf({ head, body }: HttpRequest): string {
  return body === undefined
    ? `${head.text}\r\n`
    : `${head.text}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
