// @ts-check
/**
 * One answer on the screen: the text as it streams, the ruler, the figures and the seams where it was cut. It is drawn
 * once a frame, however many events a frame brings.
 *
 * @import { Following, Listener, Ending } from "./follow.js"
 * @import { Gateway } from "./gateway.js"
 *
 * @typedef {object} Seam Where one connection ended and the next began.
 * @property {number} after The last event before it.
 * @property {number} brokenAt
 * @property {boolean} byHand
 * @property {number} lost Counted before it, as is `twice`.
 * @property {number} twice
 * @property {number | undefined} resumedAt
 * @property {string} waiting What is said until then.
 */
import { follow } from "./follow.js"
import { Trouble } from "./gateway.js"
import { element, make } from "./page.js"
import { createRuler } from "./ruler.js"
import { createTally } from "./tally.js"
import { duration, inWords, whole } from "./words.js"

const ui = {
  state: element("state", HTMLElement),
  cuts: element("cuts", HTMLOListElement),
  first: element("first", HTMLElement),
  events: element("events", HTMLElement),
  tokens: element("tokens", HTMLElement),
  rate: element("rate", HTMLElement),
  cost: element("cost", HTMLElement),
  box: element("answer", HTMLElement),
  reasoning: element("reasoning", HTMLElement),
  text: element("text", HTMLElement),
  problem: element("problem", HTMLElement),
  source: element("source", HTMLElement),
  compared: element("compared", HTMLElement),
}
const ruler = createRuler(element("ruler", HTMLCanvasElement))

/** The rate is told twice a second: digits that change with each frame cannot be read. */
const RATE_EVERY = 500
/** Pixels from the end at which the reader is still reading along. */
const NEAR = 32

/**
 * @param {Gateway} gateway
 * @param {{ body: object } | { id: string }} question
 * @param {object} on
 * @param {(id: string) => void} on.opened
 * @param {(id: string, ending: Ending) => void} on.ended
 * @param {(isBroken: boolean) => void} on.connection
 * @returns {Following}
 */
export function showAnswer(gateway, question, on) {
  const tally = createTally()
  const askedAt = performance.now()
  const isPickedUp = "id" in question
  /** @type {Seam[]} */
  const seams = []
  let id = ""
  let newText = ""
  let newReasoning = ""
  let rateAt = 0
  let isDue = false

  clear()
  say(isPickedUp ? "Picking it up" : "Waiting for the first token", "busy")
  if (isPickedUp) ui.cuts.append(make("li", "Picked up after a reload: read again from event 1."))

  return follow(gateway, question, {
    opened(opened) {
      id = opened.id
      if (opened.provider !== null) ui.source.textContent = sourceOf(opened.provider, opened.model ?? "")
      on.opened(id)
    },
    event(eventId, chunk, at) {
      const seam = seams.at(-1)
      if (seam !== undefined && seam.resumedAt === undefined) {
        seam.resumedAt = at
        on.connection(false)
      }
      const { text, reasoning } = tally.take(eventId, chunk, at)
      newText += text
      newReasoning += reasoning
      drawSoon()
    },
    broken({ byHand, at, wait, trouble }) {
      const { last: after, lost, twice } = tally
      const waiting = `${trouble === undefined ? "" : `${inWords(trouble)} `}Back in ${wait / 1_000} s.`
      const seam = seams.at(-1)
      // Another try at the same seam.
      if (seam !== undefined && seam.resumedAt === undefined) seam.waiting = waiting
      else seams.push({ after, brokenAt: at, byHand, lost, twice, resumedAt: undefined, waiting })
      tally.reconnect()
      say(byHand ? "Cut" : "The connection broke", "broken")
      on.connection(true)
      draw()
    },
    ended(ending) {
      draw()
      ui.text.normalize()
      ui.reasoning.normalize()
      ui.rate.textContent = finalRate()
      ruler.describe()
      // What a tab has last seen may be kept no longer: that is no failure of anybody's.
      if (isPickedUp && ending.trouble?.status === 404) {
        clear()
        say("Nothing asked yet", "idle")
        return on.ended(id, ending)
      }
      say(ENDINGS[ending.how], ending.how)
      if (ending.trouble !== undefined)
        ui.problem.textContent = inWords(ending.trouble) + goOn(ending.trouble)
      const isSeamed = seams.length > 0 || isPickedUp
      if (ending.how === "finished" && isSeamed) void compare()
      on.ended(id, ending)
    },
  })

  function drawSoon() {
    if (isDue) return
    isDue = true
    requestAnimationFrame(() => isDue && draw())
  }

  function draw() {
    isDue = false
    const isReadAlong = ui.box.scrollHeight - ui.box.scrollTop - ui.box.clientHeight < NEAR
    if (newReasoning !== "") ui.reasoning.append(newReasoning)
    if (newText !== "") ui.text.append(newText)
    newText = ""
    newReasoning = ""
    if (isReadAlong) ui.box.scrollTop = ui.box.scrollHeight

    const isBroken = seams.at(-1)?.resumedAt === undefined && seams.length > 0
    if (tally.last > 0 && !isBroken) say("Writing", "busy")
    ruler.draw(tally.parts)
    drawSeams()
    const { firstAt, usage } = tally
    if (tally.last > 0) ui.events.textContent = whole(tally.last - tally.lost)
    if (firstAt !== undefined && !isPickedUp) ui.first.textContent = duration(firstAt - askedAt)
    if (usage?.completion_tokens !== undefined) ui.tokens.textContent = whole(usage.completion_tokens)
    if (usage?.cost !== undefined) showCost(`$${usage.cost}`)
    if (performance.now() - rateAt > RATE_EVERY) {
      rateAt = performance.now()
      ui.rate.textContent = rate(tally.pieces, "events/s")
    }
  }

  /** One line a seam; the newest goes on counting. */
  function drawSeams() {
    const first = isPickedUp ? 1 : 0
    seams.forEach((seam, index) => {
      const line = ui.cuts.children[index + first] ?? ui.cuts.appendChild(make("li"))
      const next = seams[index + 1] ?? tally
      line.className = index % 2 === 0 ? "tone-2" : "tone-3"
      const told = describeSeam(seam, next.lost - seam.lost, next.twice - seam.twice)
      if (line.textContent !== told) line.textContent = told
    })
  }

  /** @param {number} count @param {string} unit */
  function rate(count, unit) {
    const span = (tally.lastAt ?? 0) - (tally.firstAt ?? 0)
    // What is read again comes as fast as it can be sent, which says nothing.
    return isPickedUp || span <= 0 ? "–" : `${((count * 1_000) / span).toFixed(span > 1_000 ? 1 : 0)} ${unit}`
  }

  function finalRate() {
    const tokens = tally.usage?.completion_tokens
    return tokens === undefined ? rate(tally.pieces, "events/s") : rate(tokens, "tokens/s")
  }

  /** @param {Trouble} trouble */
  function goOn({ kind }) {
    return kind === "unreachable" && id !== "" ? " Then reload this page: it goes on where it was." : ""
  }

  /** The gateway's own copy of the whole answer, beside what has come in pieces. */
  async function compare() {
    const line = ui.compared.appendChild(make("span"))
    try {
      const completion = await gateway.json(`v1/chat/completions/${id}`)
      const copy = completion.choices?.[0]?.message?.content ?? ""
      const isSame = copy === tally.text
      line.className = isSame ? "same" : "differs"
      line.textContent = isSame
        ? `Equal to the gateway's own copy, all ${whole(copy.length)} characters.`
        : `Not equal to the gateway's own copy: ${whole(tally.text.length)} characters here, ${whole(copy.length)} there.`
    } catch (error) {
      line.textContent = `Not compared with the gateway's own copy. ${error instanceof Trouble ? inWords(error) : error}`
    }
  }
}

/** @param {string} text */
export function showCost(text) {
  ui.cost.textContent = text
}

/** Said where the answer would stand. @param {string} text */
export function showProblem(text) {
  ui.problem.textContent = text
}

/** @type {Record<Ending["how"], string>} */
const ENDINGS = { finished: "Finished", cancelled: "Stopped", failed: "Failed" }

function clear() {
  for (const part of [ui.cuts, ui.reasoning, ui.text, ui.problem, ui.source, ui.compared])
    part.replaceChildren()
  for (const figure of [ui.first, ui.events, ui.tokens, ui.rate, ui.cost]) figure.textContent = "–"
  ruler.draw([])
  ruler.describe()
}

/** @param {string} words @param {string} state */
function say(words, state) {
  if (ui.state.textContent !== words) ui.state.textContent = words
  document.body.dataset["state"] = state
}

/** @param {string} provider @param {string} model */
function sourceOf(provider, model) {
  return provider === "sim"
    ? `Answered by ${model}, a simulator: the words mean nothing.`
    : `Answered by ${model}.`
}

/** @param {Seam} seam @param {number} lost @param {number} twice */
function describeSeam({ after, brokenAt, byHand, resumedAt, waiting }, lost, twice) {
  const where = after === 0 ? "before the first event" : `behind event ${after}`
  const cut = byHand ? `Cut ${where}` : `Broken off ${where}`
  if (resumedAt === undefined) return `${cut}. ${waiting}`
  const at = after + lost + 1
  return `${cut}, resumed at ${at} after ${duration(resumedAt - brokenAt)}: ${lost} lost, ${twice} twice.`
}
