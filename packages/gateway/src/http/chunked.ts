/**
 * The body of a streamed answer, one HTTP chunk a write. node:http would hand a chunk's size, its bytes and its end to the
 * socket as three buffers, and wait a tick to gather them; framed here they are one, and leave at once. Only the frame is
 * ours: the head, the end of the body and all that is read stay node:http's.
 */
import type { ServerResponse } from "node:http"

export interface ChunkedBody {
  /** False: more waits than the socket would like; `onDrain` says when it is gone. */
  write(pieces: readonly Uint8Array[]): boolean
  /** Bytes that the system has not taken yet. */
  readonly waiting: number
  close(): void
}

/** The head must have been sent. */
export function createChunkedBody(response: ServerResponse, onDrain: () => void): ChunkedBody {
  const { socket } = response
  // A client of HTTP/1.0 takes no chunks, and a pipelined answer has no socket before it is its turn.
  const framed = response.chunkedEncoding && socket !== null
  const drains = framed ? socket : response
  drains.on("drain", onDrain)
  return {
    write(pieces) {
      if (!framed) return response.write(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
      return socket.write(inFrame(pieces))
    },
    get waiting() {
      return response.writableLength
    },
    close: () => void drains.off("drain", onDrain),
  }
}

const CR = 13
const LF = 10

function inFrame(pieces: readonly Uint8Array[]): Buffer {
  let size = 0
  for (const piece of pieces) size += piece.length
  const digits = size.toString(16)
  const frame = Buffer.allocUnsafe(digits.length + size + 4)
  let at = frame.write(digits, 0, "latin1")
  frame[at++] = CR
  frame[at++] = LF
  for (const piece of pieces) {
    frame.set(piece, at)
    at += piece.length
  }
  frame[at++] = CR
  frame[at] = LF
  return frame
}
