/** All calls of a filter as one file: read in pages, written as fast as its reader takes it, never whole in memory. */
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { AdminCall, AdminCallFilter } from "@sluice/protocol"
import type { Call } from "../call.ts"
import type { CallRecord } from "../store/call-record.ts"
import { filterOf } from "./calls.ts"
import type { AdminPart } from "./part.ts"
import { callOnWire } from "./wire.ts"

export interface ExportFormat {
  readonly mediaType: string
  readonly file: string
  readonly head: string
  readonly line: (call: AdminCall) => string
}

export const JSON_LINES: ExportFormat = {
  mediaType: "application/jsonl",
  file: "calls.jsonl",
  head: "",
  line: (call) => `${JSON.stringify(call)}\n`,
}

type Cell = string | number | boolean | null

/** A row of a table has no room for lists of objects: attempts are counted. */
const COLUMNS: readonly (readonly [name: string, of: (call: AdminCall) => Cell])[] = [
  ["id", ({ id }) => id],
  ["started_at", ({ started_at }) => started_at],
  ["ended_at", ({ ended_at }) => ended_at],
  ["key", ({ key }) => key],
  ["project", ({ project }) => project],
  ["model_asked", ({ model_asked }) => model_asked],
  ["model", ({ model }) => model],
  ["provider", ({ provider }) => provider],
  ["ending", ({ ending }) => ending],
  ["reason", ({ reason }) => reason],
  ["attempts", ({ attempts }) => attempts.length],
  ["prompt_tokens", ({ usage }) => usage.prompt_tokens],
  ["completion_tokens", ({ usage }) => usage.completion_tokens],
  ["reasoning_tokens", ({ usage }) => usage.reasoning_tokens],
  ["cached_tokens", ({ usage }) => usage.cached_tokens],
  ["audio_tokens", ({ usage }) => usage.audio_tokens],
  ["cost_usd", ({ cost_usd }) => cost_usd],
  ["cost_nano", ({ cost_nano }) => cost_nano],
  ["estimated", ({ estimated }) => estimated],
  ["flags", ({ flags }) => flags.join(" ")],
  ["time_to_first_content_ms", ({ time_to_first_content_ms }) => time_to_first_content_ms],
  ["tokens_per_second", ({ tokens_per_second }) => tokens_per_second],
  ["gap_p50_ms", ({ gap_p50_ms }) => gap_p50_ms],
  ["gap_p99_ms", ({ gap_p99_ms }) => gap_p99_ms],
  ["longest_stall_ms", ({ longest_stall_ms }) => longest_stall_ms],
  ["resumed", ({ resumed }) => resumed],
  ["streamed", ({ streamed }) => streamed],
  ["dialect", ({ dialect }) => dialect],
  ["client", ({ client }) => client],
  ["client_request_id", ({ client_request_id }) => client_request_id],
  ["tags", ({ tags }) => tags.join(", ")],
]

export const CSV: ExportFormat = {
  mediaType: "text/csv; charset=utf-8",
  file: "calls.csv",
  head: csvLine(COLUMNS.map(([name]) => name)),
  line: (call) => csvLine(COLUMNS.map(([, of]) => of(call))),
}

const LINES_AT_ONCE = 100

export async function exportCalls(
  { response, requestId }: Call,
  { store }: AdminPart,
  asked: AdminCallFilter,
  format: ExportFormat,
): Promise<void> {
  const calls = store.calls.all(filterOf(asked))[Symbol.asyncIterator]()
  // A database that does not answer is told with a status: nothing is sent before the first row is there.
  const first = await calls.next()
  response.writeHead(200, {
    "content-type": format.mediaType,
    "content-disposition": `attachment; filename="${format.file}"`,
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
  })
  try {
    await pipeline(Readable.from(pieces(calls, first, format)), response)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

async function* pieces(
  calls: AsyncIterator<CallRecord>,
  first: IteratorResult<CallRecord>,
  format: ExportFormat,
): AsyncGenerator<string> {
  let piece = format.head
  let lines = 0
  try {
    for (let next = first; !next.done; next = await calls.next()) {
      piece += format.line(callOnWire(next.value))
      lines += 1
      if (lines % LINES_AT_ONCE !== 0) continue
      yield piece
      piece = ""
    }
    if (piece !== "") yield piece
  } finally {
    // The reader has left: nothing more is asked of the database.
    await calls.return?.()
  }
}

function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`
}

/** A spreadsheet would run what begins like a formula, and clients choose their own names. */
function csvCell(cell: Cell): string {
  if (cell === null) return ""
  if (typeof cell !== "string") return String(cell)
  const harmless = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** Whoever asked has left. */
function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE"
}
