// @ts-check
/**
 * One stream over as many connections as it takes. Every break is handled alike, whoever made it: wait as long as the
 * stream has asked (`retry:`), then ask for what stands behind the last event id. A stream that ends says how; a body
 * that merely stops has been cut off.
 *
 * @import { Gateway } from "./gateway.js"
 *
 * @typedef {object} Opened
 * @property {string} id
 * @property {string | null} model Null: not known yet.
 * @property {string | null} provider
 *
 * @typedef {object} Break
 * @property {boolean} byHand
 * @property {number} at Milliseconds, as are all times here.
 * @property {number} wait Until the next try.
 * @property {Trouble | undefined} trouble Why the last try has failed.
 *
 * @typedef {{ how: "finished" | "cancelled" | "failed", trouble?: Trouble }} Ending
 *
 * @typedef {object} Listener
 * @property {(opened: Opened) => void} opened For each connection.
 * @property {(id: number, chunk: any, at: number) => void} event
 * @property {(broken: Break) => void} broken
 * @property {(ending: Ending) => void} ended Once, last.
 *
 * @typedef {ReturnType<typeof follow>} Following
 */
import { createEventReader } from "./events.js"
import { Trouble } from "./gateway.js"

const CHAT = "v1/chat/completions"
const LONGEST_WAIT = 8_000
/** In a row, about half a minute. */
const TRIES = 6
const CUT = new Error("cut by hand")

/**
 * Asks (`body`), or picks up what was asked before (`id`) from its first event on.
 *
 * @param {Gateway} gateway
 * @param {{ body: object } | { id: string }} question
 * @param {Listener} listener
 */
export function follow(gateway, question, listener) {
  /** @type {string | undefined} */
  let id = "id" in question ? question.id : undefined
  let after = 0
  let retry = 1_000
  let failures = 0
  let isCut = false
  let isStopped = false
  /** @type {Ending | undefined} */
  let ending
  let connection = new AbortController()
  /** @type {(() => void) | undefined} */
  let wake
  // Asked again before it has an id, the question is the same one and is answered, and paid, once.
  const idempotencyKey = randomName()

  void run()

  return {
    /** Breaks the connection for real. */
    cut() {
      if (wake === undefined) connection.abort(CUT)
    },
    /** Now, not after the wait. */
    reconnect() {
      wake?.()
    },
    /** Ends the stream itself; how it has ended is then read like any other event. */
    stop() {
      isStopped = true
      if (id !== undefined) void cancel(id)
    },
  }

  async function run() {
    while (ending === undefined) {
      connection = new AbortController()
      /** @type {unknown} */
      let reason
      try {
        await read(await open(connection.signal), connection.signal)
      } catch (error) {
        reason = error
      }
      if (ending === undefined) await rest(reason)
    }
    listener.ended(ending)
  }

  /** @param {AbortSignal} signal */
  async function open(signal) {
    const response =
      id === undefined
        ? await gateway.ask(CHAT, {
            method: "POST",
            headers: { "idempotency-key": idempotencyKey, "sluice-on-disconnect": "drain:60" },
            body: "body" in question ? question.body : {},
            signal,
          })
        : await gateway.ask(`${CHAT}/${id}`, { headers: { "last-event-id": String(after) }, signal })
    id ??= response.headers.get("sluice-stream-id") ?? ""
    const { headers } = response
    listener.opened({ id, model: headers.get("sluice-model"), provider: headers.get("sluice-provider") })
    if (isStopped) void cancel(id)
    return response
  }

  /** @param {Response} response @param {AbortSignal} signal */
  async function read(response, signal) {
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader()
    const events = createEventReader({
      onEvent(event) {
        // What had arrived when the connection was cut, but was not read, is lost with it.
        if (ending === undefined && !signal.aborted) take(event)
      },
      onRetry(milliseconds) {
        retry = Math.min(milliseconds, LONGEST_WAIT)
      },
    })
    for (let part = await reader.read(); !part.done && ending === undefined; part = await reader.read()) {
      events.push(part.value)
    }
    void reader.cancel().catch(() => {})
  }

  /** @param {import("./events.js").ServerEvent} event */
  function take({ id: eventId, data }) {
    failures = 0
    if (data === "[DONE]") {
      ending = { how: "finished" }
      return
    }
    const chunk = parse(data)
    const number = Number(eventId)
    if (chunk === undefined || !Number.isSafeInteger(number) || number < 1) {
      ending = { how: "failed", trouble: new Trouble("malformed", `Event ${eventId} cannot be read.`) }
      return
    }
    after = number
    listener.event(number, chunk, performance.now())
    if (chunk.error === undefined) return
    const kind = String(chunk.error.metadata?.error_type ?? "")
    const trouble = new Trouble(kind, String(chunk.error.message ?? "The stream has failed."))
    ending = kind === "cancelled" ? { how: "cancelled" } : { how: "failed", trouble }
  }

  /** @param {unknown} reason */
  async function rest(reason) {
    const byHand = reason === CUT
    const trouble = reason instanceof Trouble ? reason : undefined
    if (!byHand) failures++
    // The first answer is the gateway's word; later ones may only mean that it is not back yet.
    const mayPass = isCut && trouble !== undefined && PASSING.test(`${trouble.status}`)
    if (trouble !== undefined && (!mayPass || failures >= TRIES)) {
      ending = { how: "failed", trouble }
      return
    }
    isCut = true
    const wait = Math.min(LONGEST_WAIT, retry * 2 ** Math.max(0, failures - 1))
    listener.broken({ byHand, at: performance.now(), wait, trouble })
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, wait)
      wake = () => {
        clearTimeout(timer)
        resolve(undefined)
      }
    })
    wake = undefined
  }

  /** @param {string} running */
  async function cancel(running) {
    try {
      await gateway.ask(`${CHAT}/${running}/cancel`, { method: "POST" })
    } catch (error) {
      // Nobody is there to tell how it ended.
      if (wake !== undefined && error instanceof Trouble) ending = { how: "failed", trouble: error }
    }
    wake?.()
  }
}

/** Not reached, too many, or the server's own trouble. */
const PASSING = /^(0|408|429|5\d\d)$/

/** @param {string} text */
function parse(text) {
  try {
    const value = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Not `randomUUID`, which a page that came over plain HTTP from another machine does not have. */
function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
}
