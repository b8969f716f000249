/**
 * The thread that tokenizes. Text is split as o200k_base splits it, so that each piece is counted alone and the sum
 * is exact; only an unbroken run of more than LONGEST_RUN letters, spaces or signs is cut, because merging one is
 * quadratic in its length. Jobs take turns: a small prompt does not wait behind a huge one.
 */
import { readlinkSync } from "node:fs"
import { constants, setPriority } from "node:os"
import { basename } from "node:path"
import { setImmediate as nextTurn } from "node:timers/promises"
import { parentPort } from "node:worker_threads"
import { createMerger, PIECES } from "./byte-pairs.ts"
import { textsRelayed } from "./relayed.ts"
import { readVocabulary } from "./vocabulary.ts"

export type TokenJob =
  | {
      readonly id: number
      readonly kind: "count"
      readonly texts: readonly string[]
      readonly deadline: number
    }
  | {
      readonly id: number
      readonly kind: "answer"
      readonly relayed: Uint8Array
      readonly streamed: boolean
      readonly deadline: number
    }
  | { readonly id: number; readonly kind: "split"; readonly text: string }

export type TokenAnswer =
  | { readonly id: number; readonly tokens: number }
  | { readonly id: number; readonly pieces: string[] }
  | { readonly id: number; readonly failure: string }

/** Longer than any word or indentation that people write. */
const LONGEST_RUN = 4_096
const TURN_MS = 10

stepBack()
/** It knows no special tokens: what looks like one is text when it comes from a caller. */
const merge = createMerger(readVocabulary())

parentPort?.on("message", (job: TokenJob) => void answer(job))

async function answer(job: TokenJob): Promise<void> {
  try {
    if (job.kind === "split") post({ id: job.id, pieces: split(job.text) })
    else post({ id: job.id, tokens: await count(textsOf(job), job.deadline) })
  } catch (error) {
    post({ id: job.id, failure: error instanceof Error ? error.message : String(error) })
  }
}

function textsOf(job: Exclude<TokenJob, { kind: "split" }>): readonly string[] {
  return job.kind === "count" ? job.texts : textsRelayed(Buffer.from(job.relayed).toString(), job.streamed)
}

function post(message: TokenAnswer): void {
  parentPort?.postMessage(message)
}

async function count(texts: readonly string[], deadline: number): Promise<number> {
  const end = performance.now() + deadline
  let turnEnd = performance.now() + TURN_MS
  let tokens = 0
  for (const text of texts) {
    let from = 0
    for (const run of runsOf(text)) {
      const now = performance.now()
      if (now >= end) break
      if (now >= turnEnd) {
        await nextTurn()
        turnEnd = performance.now() + TURN_MS
      }
      tokens += merge(run).count
      from += run.length
    }
    tokens += estimate(text.slice(from))
  }
  return tokens
}

/** Its pieces, the longest in several: each is merged in some milliseconds, and turn and deadline are looked at between them. */
function* runsOf(text: string): Iterable<string> {
  for (const [piece] of text.matchAll(PIECES)) {
    if (piece.length <= LONGEST_RUN) yield piece
    else
      for (let from = 0; from < piece.length; from += LONGEST_RUN) yield piece.slice(from, from + LONGEST_RUN)
  }
}

function split(text: string): string[] {
  const tokens: string[] = []
  for (const run of runsOf(text)) {
    const { count, starts, bytes } = merge(run)
    for (let part = 0; part < count; part++)
      tokens.push(Buffer.from(bytes.subarray(starts[part], starts[part + 1])).toString())
  }
  return tokens
}

/** What the deadline left uncounted, at the four bytes a token that English prose comes to. */
function estimate(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}

/** Counting can wait and streams cannot. Linux alone gives a thread a priority of its own. */
function stepBack(): void {
  if (process.platform !== "linux") return
  try {
    setPriority(Number(basename(readlinkSync("/proc/thread-self"))), constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // Without /proc it takes its turn like everybody.
  }
}
