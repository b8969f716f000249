/**
 * How a provider's answer gets into its connection: in HTTP chunks that end at random bytes, in writes that end at
 * other random bytes, and with an end that comes when it should, or too early.
 */
import type { Socket } from "node:net"

export interface Play {
  readonly writes: readonly Uint8Array[]
  /** After the last write. `reset`: whatever the other side has not read by then may be gone. */
  readonly end: "fin" | "reset"
}

/** Whole numbers below a bound. */
export type Random = (below: number) => number

/** From the environment, so that a run can be had again. */
export const SEED = Number(process.env["SLUICE_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

export const SEED_SAID = `random bytes by SLUICE_SEED=${SEED}`

/** The same numbers for the same seed and the same words. (mulberry32 over an FNV-1a hash) */
export function randomFor(...words: readonly string[]): Random {
  let state = SEED
  for (const byte of Buffer.from(words.join("\n"))) state = Math.imul(state ^ byte, 16_777_619)
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A stream as servers send them: with comments here and there, line ends of one kind, and mostly a `[DONE]`. */
export function streamOf(lines: readonly string[], random: Random): Buffer {
  const newline = random(4) === 0 ? "\r\n" : "\n"
  const done = random(4) === 0 ? [] : ["[DONE]"]
  const events = [...lines, ...done].map((data) => {
    const comment = random(12) === 0 ? `: PROCESSING${newline}${newline}` : ""
    return `${comment}data: ${data}${newline}${newline}`
  })
  return Buffer.from(events.join(""))
}

export type ContentType = "text/event-stream" | "application/json"

/** The whole answer. */
export function playWhole(type: ContentType, body: Buffer, random: Random): Play {
  const framing = FRAMINGS[random(FRAMINGS.length)]!
  const framed = framing === "chunked" ? Buffer.concat([chunked(body, random), LAST_CHUNK]) : body
  return { writes: cut(Buffer.concat([head(type, framing, body.length), framed]), random), end: "fin" }
}

export interface Death {
  readonly play: Play
  /** How, for a message. */
  readonly how: string
}

/**
 * The answer's first bytes, and the connection dead: closed, reset, or closed with the politeness of HTTP's last chunk,
 * as by a proxy that has lost the server behind it.
 */
export function playUntil(bytes: number, type: ContentType, body: Buffer, random: Random): Death {
  const framing = FRAMINGS[random(FRAMINGS.length)]!
  const end = random(3) === 0 ? "reset" : "fin"
  const polite = framing === "chunked" && random(3) === 0
  const part = body.subarray(0, bytes)
  const framed = framing === "chunked" ? chunked(part, random) : part
  const answer = [head(type, framing, body.length), framed, ...(polite ? [LAST_CHUNK] : [])]
  return {
    play: { writes: cut(Buffer.concat(answer), random), end },
    how: `${bytes} of ${body.length} bytes, ${framing}${polite ? " and a last chunk" : ""}, ${end}`,
  }
}

/** Resolves when the last byte is with the operating system. */
export async function playOn(socket: Socket, { writes, end }: Play): Promise<void> {
  // Who asked may leave first; that is no fault of the provider.
  socket.on("error", () => {})
  socket.setNoDelay(true)
  for (const bytes of writes) {
    if (socket.destroyed) return
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
  }
  if (end === "fin") socket.end()
  else socket.resetAndDestroy()
}

/** How HTTP says where a body ends; `closed`: by closing the connection, which a death does as well. */
const FRAMINGS = ["chunked", "closed", "length"] as const

const LAST_CHUNK = Buffer.from("0\r\n\r\n")

function head(type: ContentType, framing: (typeof FRAMINGS)[number], length: number): Buffer {
  const said = {
    chunked: "transfer-encoding: chunked\r\n",
    closed: "",
    length: `content-length: ${length}\r\n`,
  }
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${said[framing]}connection: close\r\n\r\n`)
}

function chunked(body: Buffer, random: Random): Buffer {
  const chunks = cut(body, random).flatMap((piece) => [
    Buffer.from(`${piece.length.toString(16)}\r\n`),
    piece,
    Buffer.from("\r\n"),
  ])
  return Buffer.concat(chunks)
}

/** Single bytes are always among them, and a short body may come in nothing else. */
function cut(bytes: Buffer, random: Random): Buffer[] {
  const longest = (bytes.length < 4_096 ? [1, 8, 128] : [64, 512, 4_096])[random(3)]!
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = random(6) === 0 ? 1 : 1 + random(longest)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}
