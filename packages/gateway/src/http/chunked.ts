/**
 * The body of a streamed answer, one HTTP chunk a write. node:http would hand a chunk's size, its bytes and its end to the
 * socket as three buffers, and wait a tick to gather them; framed here they are one, and leave at once. Only the frame is
 * ours: the head, the end of the body and all that is read stay node:http's.
 */
import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"

export class ChunkedBody {
  readonly #response: ServerResponse
  /** Absent: node:http frames. A client of HTTP/1.0 takes no chunks, and a pipelined answer has no socket before its turn. */
  readonly #socket: Socket | undefined
  readonly #onDrain: () => void

  /** The head must have been sent. `onDrain`: what waited is gone. */
  constructor(response: ServerResponse, onDrain: () => void) {
    const { socket } = response
    this.#response = response
    this.#socket = response.chunkedEncoding && socket !== null ? socket : undefined
    this.#onDrain = onDrain
    this.#drains.on("drain", onDrain)
  }

  /** False: more waits than the socket would like; `onDrain` says when it is gone. */
  write(pieces: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    return socket === undefined ? this.#response.write(Buffer.concat(pieces)) : socket.write(inFrame(pieces))
  }

  /** The same for one piece alone, as nearly all are. */
  writeOne(piece: Uint8Array): boolean {
    const socket = this.#socket
    return socket === undefined ? this.#response.write(piece) : socket.write(oneInFrame(piece))
  }

  /** Bytes that the system has not taken yet. */
  get waiting(): number {
    return this.#response.writableLength
  }

  close(): void {
    this.#drains.off("drain", this.#onDrain)
  }

  get #drains(): Socket | ServerResponse {
    return this.#socket ?? this.#response
  }
}

const CR = 13
const LF = 10

function inFrame(pieces: readonly Uint8Array[]): Buffer {
  let size = 0
  for (const piece of pieces) size += piece.length
  const frame = frameOf(size)
  let at = frame.length - size - 2
  for (const piece of pieces) {
    frame.set(piece, at)
    at += piece.length
  }
  return frame
}

function oneInFrame(piece: Uint8Array): Buffer {
  const frame = frameOf(piece.length)
  frame.set(piece, frame.length - piece.length - 2)
  return frame
}

/** A chunk of so many bytes, but for the bytes themselves: they end two before its end. */
function frameOf(size: number): Buffer {
  let digits = 1
  for (let rest = size; rest >= 16; rest >>>= 4) digits++
  const frame = Buffer.allocUnsafe(digits + size + 4)
  for (let place = digits - 1, rest = size; place >= 0; place--, rest >>>= 4) frame[place] = HEX[rest & 15]!
  frame[digits] = CR
  frame[digits + 1] = LF
  frame[frame.length - 2] = CR
  frame[frame.length - 1] = LF
  return frame
}

const HEX = Buffer.from("0123456789abcdef")
