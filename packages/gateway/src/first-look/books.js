// @ts-check
/**
 * What runs and what today has cost, from the admin API: asked again every few seconds while somebody looks, and never
 * while the page is hidden.
 *
 * @import { Gateway } from "./gateway.js"
 */
import { Trouble } from "./gateway.js"
import { element, make } from "./page.js"
import { dollars, inWords, whole } from "./words.js"

const ui = {
  books: element("books", HTMLElement),
  openCount: element("open-count", HTMLElement),
  open: element("open", HTMLUListElement),
  calls: element("calls", HTMLElement),
  spent: element("spent", HTMLElement),
  tokensIn: element("tokens-in", HTMLElement),
  tokensOut: element("tokens-out", HTMLElement),
  byModel: element("by-model", HTMLUListElement),
  note: element("books-note", HTMLElement),
}

/** Of stored keys; those from the environment have none but their id. */
const IS_STORED = /^key_/

const EVERY = 3_000
const PAGE = 200
const SHOWN_STREAMS = 6
const SHOWN_MODELS = 5

/**
 * @param {Gateway} gateway Its key may be an admin's, or not.
 * @param {object} on
 * @param {() => void} on.shown
 * @param {(trouble: Trouble) => void} on.refused It may not; nothing more is asked.
 */
export function watchBooks(gateway, on) {
  const over = new AbortController()
  /** @type {Map<string, string>} Of keys, by their ids. */
  const names = new Map()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let isAsking = false
  document.addEventListener("visibilitychange", look, { signal: over.signal })
  look()

  return {
    /** Something has just changed. */
    look,
    close() {
      over.abort()
      clearTimeout(timer)
      ui.books.hidden = true
    },
    /**
     * What the ledger says that a call has cost; null: its model has no price. Undefined: this key may not see it.
     *
     * @param {string} id
     * @returns {Promise<bigint | null | undefined>}
     */
    async costOf(id) {
      // It is settled a moment after its last event.
      for (let turn = 1; turn <= 5 && !ui.books.hidden; turn++) {
        const call = await gateway
          .json(`admin/calls/${encodeURIComponent(id)}`, { signal: over.signal })
          .catch(() => undefined)
        if (call === undefined) return undefined
        if (call.ending !== null) return call.cost_nano === null ? null : BigInt(call.cost_nano)
        await new Promise((resolve) => setTimeout(resolve, 100 * turn))
      }
      return undefined
    },
  }

  function look() {
    clearTimeout(timer)
    if (document.hidden || over.signal.aborted || isAsking) return
    isAsking = true
    void ask().finally(() => {
      isAsking = false
      clearTimeout(timer)
      if (!over.signal.aborted) timer = setTimeout(look, EVERY)
    })
  }

  async function ask() {
    try {
      const day = new Date().toISOString().slice(0, 10)
      const { signal } = over
      // One after the other: with a key that may not see them, one refusal is enough.
      const openAnswer = await gateway.ask(`admin/calls?ending=open&limit=${PAGE}`, { signal })
      const usage = await gateway.json(`admin/usage?by=provider,model&from=${day}`, { signal })
      const now = Date.parse(openAnswer.headers.get("date") ?? "") || Date.now()
      const open = await openAnswer.json()
      await learnNames(open.data.slice(0, SHOWN_STREAMS))
      if (signal.aborted) return
      showOpen(open, names, now)
      showUsage(usage.data)
      ui.note.textContent = ""
      ui.books.hidden = false
      on.shown()
    } catch (error) {
      if (!(error instanceof Trouble)) return // closed meanwhile
      if (error.status === 401 || error.status === 403) {
        over.abort()
        ui.books.hidden = true
        on.refused(error)
      } else ui.note.textContent = `${inWords(error)} These figures are older.`
    }
  }

  /** @param {any[]} calls */
  async function learnNames(calls) {
    const unknown = new Set(
      calls.map(({ key }) => key).filter((key) => IS_STORED.test(key) && !names.has(key)),
    )
    await Promise.all(
      [...unknown].map(async (id) => {
        // One that was deleted meanwhile keeps its id for a name.
        const { name } = await gateway
          .json(`admin/keys/${id}`, { signal: over.signal })
          .catch(() => ({ name: id }))
        names.set(id, name)
      }),
    )
  }
}

/**
 * @param {{ data: any[], next: string | null }} page
 * @param {ReadonlyMap<string, string>} names
 * @param {number} now By the gateway's clock.
 */
function showOpen({ data: calls, next }, names, now) {
  const isMore = next !== null
  ui.openCount.textContent = `${whole(calls.length)}${isMore ? "+" : ""}`
  const rows = calls.slice(0, SHOWN_STREAMS).map((call) => {
    const row = make("li")
    const resumed =
      call.resumed > 0 ? `, resumed ${call.resumed === 1 ? "once" : `${whole(call.resumed)} times`}` : ""
    row.append(
      named(call.model_asked),
      make("span", `${names.get(call.key) ?? call.key}, ${age(now - Date.parse(call.started_at))}${resumed}`),
    )
    return row
  })
  const left = calls.length - rows.length
  if (left > 0) rows.push(make("li", `and ${whole(left)}${isMore ? "+" : ""} more`, "rest"))
  if (rows.length === 0) rows.push(make("li", "Nothing runs.", "rest"))
  ui.open.replaceChildren(...rows)
}

/** @param {any[]} rows One for each model; money is added up in whole nano-dollars. */
function showUsage(rows) {
  const sum = (/** @type {string} */ name) => rows.reduce((total, row) => total + row[name], 0)
  const cost = rows.reduce((total, row) => total + BigInt(row.cost_nano), 0n)
  ui.calls.textContent = whole(sum("calls"))
  ui.spent.textContent = dollars(cost)
  ui.tokensIn.textContent = whole(sum("prompt_tokens"))
  ui.tokensOut.textContent = whole(sum("completion_tokens"))
  const busiest = rows.toSorted((one, other) => other.calls - one.calls).slice(0, SHOWN_MODELS)
  const lines = busiest.map(({ group, calls, unpriced, cost_nano, prompt_tokens, completion_tokens }) => {
    const line = make("li")
    const tokens = prompt_tokens + completion_tokens
    line.append(
      named(group.provider === null ? group.model : `${group.provider}/${group.model}`),
      make("i", unpriced === calls ? "no price" : dollars(BigInt(cost_nano))),
      make("span", `${whole(calls)} ${calls === 1 ? "call" : "calls"}, ${whole(tokens)} tokens`),
    )
    return line
  })
  ui.byModel.replaceChildren(...lines)
}

/** A long name is cut short on the screen. @param {string} model */
function named(model) {
  const name = make("b", model)
  name.title = model
  return name
}

/** @param {number} milliseconds */
function age(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000))
  if (seconds < 60) return `${seconds} s`
  return seconds < 3_600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`
}
