/** A gateway of its own for a test, on a free port, and a client that sees every byte of what it answers. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type StartOptions, startGateway } from "../src/main.ts"

export const KEY = "sk-test-of-one"
export const ADMIN_KEY = "sk-test-of-admin"

export interface TestGateway {
  readonly url: string
  readonly lines: string[]
  drain(milliseconds: number): Promise<number>
  close(): Promise<void>
}

/** `yaml`: the configuration file's text; without it the built-in values and `sim` alone. */
export async function startTestGateway(
  yaml = "",
  environment: Record<string, string> = {},
  more: Pick<StartOptions, "fault"> = {},
): Promise<TestGateway> {
  const folder = temporaryFolder()
  const config = join(folder, "sluice.yaml")
  writeFileSync(config, yaml === "" ? "{}\n" : yaml)
  const lines: string[] = []
  const running = await startGateway({
    flags: { port: 0, host: undefined, config },
    environment: { SLUICE_API_KEY: KEY, SLUICE_ADMIN_KEY: ADMIN_KEY, SLUICE_DATA: folder, ...environment },
    say: (line) => lines.push(line),
    warn: (line) => lines.push(line),
    terminal: false,
    ...more,
  })
  return {
    url: running.url,
    lines,
    drain: (milliseconds) => running.drain(milliseconds),
    close: () => running.close(),
  }
}

/** It goes with the process: a gateway that was drained, or whose test failed, is closed by nobody else. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"))
  if (folders.push(folder) === 1) process.once("exit", () => folders.forEach(remove))
  return folder
}

const folders: string[] = []

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

export interface RawAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** The body's whole text; `complete` false when HTTP says that it was cut off. */
  whole(): Promise<{ text: string; complete: boolean }>
  /** The text of the body up to and including the n-th SSE frame with data (1-based). */
  frames(count: number): Promise<string[]>
  /** Close the connection, as a client that is gone. */
  leave(): void
  readonly request: http.ClientRequest
  readonly response: http.IncomingMessage
}

export interface RawRequest {
  readonly method?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: unknown
  readonly key?: string | undefined
}

/** One request over a connection of its own. */
export function call(url: string, options: RawRequest = {}): Promise<RawAnswer> {
  const { method = options.body === undefined ? "GET" : "POST", key = KEY } = options
  const body =
    options.body === undefined || typeof options.body === "string" || options.body instanceof Uint8Array
      ? options.body
      : JSON.stringify(options.body)
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method,
      agent: false,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
        ...options.headers,
      },
    })
    request.once("error", reject)
    request.once("response", (response) => resolve(readAnswer(request, response)))
    request.end(body)
  })
}

function readAnswer(request: http.ClientRequest, response: http.IncomingMessage): RawAnswer {
  let text = ""
  let over = false
  let waiting: (() => void)[] = []
  const wake = (): void => {
    const callbacks = waiting
    waiting = []
    for (const callback of callbacks) callback()
  }
  request.on("error", () => {})
  response.setEncoding("utf8")
  response.on("data", (piece: string) => {
    text += piece
    wake()
  })
  response.on("error", () => {})
  response.on("close", () => {
    over = true
    wake()
  })
  const more = (): Promise<void> => new Promise((resolve) => waiting.push(resolve))
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async whole() {
      while (!over) await more()
      return { text, complete: response.complete }
    },
    async frames(count) {
      for (;;) {
        const frames = dataFrames(text)
        if (frames.length >= count) return frames.slice(0, count)
        if (over)
          throw new Error(`the body ended after ${frames.length} of ${count} frames: ${text.slice(-300)}`)
        await more()
      }
    },
    leave() {
      response.destroy()
      request.destroy()
    },
    request,
    response,
  }
}

/** The frames that carry data, each with its blank line. */
export function dataFrames(text: string): string[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .filter((frame) => /^data:/m.test(frame))
    .map((frame) => `${frame}\n\n`)
}

/** What stands in a frame's `data:` line, parsed. */
export function dataOf(frame: string): Record<string, unknown> {
  return JSON.parse(frame.match(/^data: (.*)$/m)?.[1] ?? "null") as Record<string, unknown>
}

export function idOf(frame: string): number {
  return Number(frame.match(/^id: (\d+)$/m)?.[1] ?? Number.NaN)
}

/** The frames without what belongs to the reader alone: `[DONE]`, comments, pads. */
export function eventFrames(text: string): string[] {
  return dataFrames(text)
    .map((frame) => frame.replace(/^:.*\n/gm, ""))
    .filter((frame) => !frame.includes("data: [DONE]"))
}

export function streamBody(model: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model, messages: [{ role: "user", content: "Tell me a story." }], stream: true, ...more }
}
