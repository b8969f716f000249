/**
 * o200k_base tokens, counted in a thread of their own: a tokenizer may take seconds over one hostile prompt, and the
 * event loop has streams to serve. The thread starts at the first need, keeps no process alive while idle, and goes
 * when it has not been needed for a while.
 */
import { createHash } from "node:crypto"
import { Worker } from "node:worker_threads"
import type { TokenAnswer, TokenJob } from "./worker.ts"

const DEADLINE_MS = 10_000
const LET_GO_AFTER_MS = 60_000
const REMEMBERED = 256
/** Past this many characters a hash costs the loop more than a repeated prompt saves. */
const HASHED_AT_MOST = 1_000_000

/** The sum over the texts. What is not counted when the deadline passes is estimated at four bytes a token. */
export function countTokens(texts: readonly string[], deadline = DEADLINE_MS): Promise<number> {
  const key = deadline === DEADLINE_MS ? hashOf(texts) : undefined
  if (key === undefined) return count(texts, deadline)
  const known = remembered.get(key)
  const tokens = known ?? count(texts, deadline)
  remembered.delete(key)
  remembered.set(key, tokens)
  if (known === undefined) {
    tokens.catch(() => remembered.delete(key))
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value ?? "")
  }
  return tokens
}

/** The tokens of an answer, as it was relayed: a stream's events, or JSON in one piece. */
export async function countAnswer(relayed: Uint8Array, streamed: boolean): Promise<number> {
  const answer = await ask({ id: nextId(), kind: "answer", relayed, streamed, deadline: DEADLINE_MS })
  return "tokens" in answer ? answer.tokens : 0
}

/** The text's tokens, in order. For ASCII alone: a token may hold a part of any other character. */
export async function splitTokens(text: string): Promise<string[]> {
  const answer = await ask({ id: nextId(), kind: "split", text })
  return "pieces" in answer ? answer.pieces : []
}

async function count(texts: readonly string[], deadline: number): Promise<number> {
  const answer = await ask({ id: nextId(), kind: "count", texts, deadline })
  return "tokens" in answer ? answer.tokens : 0
}

/** The most recently used prompts, oldest first. */
const remembered = new Map<string, Promise<number>>()

function hashOf(texts: readonly string[]): string | undefined {
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  if (length > HASHED_AT_MOST) return undefined
  const hash = createHash("sha256")
  // Each length before its text, so that no two lists run together into one.
  for (const text of texts) hash.update(`${text.length}:`).update(text)
  return hash.digest("base64")
}

interface Waiting {
  resolve(answer: TokenAnswer): void
  reject(error: Error): void
}
const waiting = new Map<number, Waiting>()
let worker: Worker | undefined
let idle: NodeJS.Timeout | undefined
let lastId = 0

function nextId(): number {
  lastId += 1
  return lastId
}

function ask(job: TokenJob): Promise<TokenAnswer> {
  clearTimeout(idle)
  worker ??= startWorker()
  const asked = worker
  return new Promise((resolve, reject) => {
    waiting.set(job.id, { resolve, reject })
    asked.ref()
    asked.postMessage(job)
  })
}

/** Of the thread, where nobody waits for it; says when it is gone. */
export async function letGo(): Promise<void> {
  const gone = waiting.size === 0 ? worker : undefined
  if (gone === undefined) return
  clearTimeout(idle)
  worker = undefined
  await gone.terminate()
}

function startWorker(): Worker {
  // Built, this file and its neighbour are JavaScript.
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js"
  const started = new Worker(new URL(file, import.meta.url))
  started.on("message", (answer: TokenAnswer) => {
    const waiter = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (waiting.size === 0) {
      started.unref()
      idle = setTimeout(letGo, LET_GO_AFTER_MS).unref()
    }
    if ("failure" in answer) waiter?.reject(new Error(`Tokens could not be counted: ${answer.failure}`))
    else waiter?.resolve(answer)
  })
  // Whatever ended it, those who wait are told, and the next need starts another.
  started.on("error", (error) => lose(error.message))
  started.on("exit", (code) => lose(`its thread ended with code ${code}`))
  function lose(why: string): void {
    if (worker !== started) return
    worker = undefined
    for (const waiter of waiting.values()) waiter.reject(new Error(`Tokens could not be counted: ${why}`))
    waiting.clear()
  }
  return started
}
