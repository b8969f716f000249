import assert from "node:assert/strict"
import { EventEmitter } from "node:events"
import type { ServerResponse } from "node:http"
import { test } from "node:test"
import { ChunkedBody } from "./chunked.ts"

/** As much of a response as a body touches. */
function responseTo(written: Buffer[]): ServerResponse {
  const socket = Object.assign(new EventEmitter(), {
    write(bytes: Buffer) {
      written.push(bytes)
      return true
    },
  })
  return { chunkedEncoding: true, socket, writableLength: 0 } as unknown as ServerResponse
}

test("pieces of every length stand in one chunk whose size is theirs, one alone as well as several", () => {
  const written: Buffer[] = []
  const body = new ChunkedBody(responseTo(written), () => {})
  for (const size of [1, 9, 15, 16, 17, 255, 256, 4_095, 4_096, 65_535, 65_536, 1_048_577]) {
    const piece = Buffer.alloc(size, "x")
    const wanted = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), piece, Buffer.from("\r\n")])
    assert.equal(body.writeOne(piece), true)
    assert.equal(body.write([piece.subarray(0, 1), piece.subarray(1)]), true)
    for (const frame of written.splice(0)) assert.ok(frame.equals(wanted), `a piece of ${size} bytes`)
  }
})
