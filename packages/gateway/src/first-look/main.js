// @ts-check
/** The page's life: a key, a question, and the answer over as many connections as it takes. */
import { showAnswer, showCost, showProblem } from "./answer.js"
import { watchBooks } from "./books.js"
import { canBeKey, createGateway, Trouble } from "./gateway.js"
import { recall, remember } from "./memory.js"
import { element } from "./page.js"
import { dollars, inWords, NO_KEY, NOT_A_KEY } from "./words.js"

const ui = {
  keyForm: element("key-form", HTMLFormElement),
  key: element("key", HTMLInputElement),
  keyKnown: element("key-known", HTMLElement),
  forget: element("forget", HTMLButtonElement),
  keyProblem: element("key-problem", HTMLElement),
  ask: element("ask", HTMLFormElement),
  prompt: element("prompt", HTMLTextAreaElement),
  model: element("model", HTMLSelectElement),
  named: element("named", HTMLElement),
  name: element("name", HTMLInputElement),
  send: element("send", HTMLButtonElement),
  cut: element("cut", HTMLButtonElement),
  admin: element("admin", HTMLElement),
  adminForm: element("admin-form", HTMLFormElement),
  adminKey: element("admin-key", HTMLInputElement),
  adminNote: element("admin-note", HTMLElement),
}

/** By itself the simulator answers at once: this one can be watched, and cut. */
const SLOW_SIM = "sim/story:tokens=160,gap=40"
const ANOTHER = ""

/** @type {import("./gateway.js").Gateway | undefined} */
let gateway
/** @type {ReturnType<typeof watchBooks> | undefined} */
let books
/** @type {import("./follow.js").Following | undefined} */
let running
let isBroken = false

listModels([])
const knownKey = recall("key")
if (knownKey !== undefined) void useKey(knownKey)

ui.keyForm.addEventListener("submit", (event) => {
  event.preventDefault()
  const key = ui.key.value.trim()
  if (canBeKey(key)) void useKey(key)
  else askForKey(key === "" ? NO_KEY : NOT_A_KEY)
})

ui.forget.addEventListener("click", () => {
  for (const name of /** @type {const} */ (["key", "admin-key", "stream"])) remember(name, undefined)
  // Nothing of it is left behind in the page either.
  location.reload()
})

ui.adminForm.addEventListener("submit", (event) => {
  event.preventDefault()
  const key = ui.adminKey.value.trim()
  ui.adminKey.value = ""
  if (canBeKey(key)) openBooks(key, true)
  else ui.adminNote.textContent = NOT_A_KEY
})

ui.ask.addEventListener("submit", (event) => {
  event.preventDefault()
  if (running === undefined) send()
})

ui.send.addEventListener("click", () => {
  if (running === undefined) return
  running.stop()
  // It can take until the model's first word: before that there is nothing with a name to stop.
  ui.send.textContent = "Stopping"
})

ui.prompt.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
  event.preventDefault()
  if (running === undefined) send()
})

ui.model.addEventListener("change", () => {
  ui.named.hidden = ui.model.value !== ANOTHER
  if (!ui.named.hidden) ui.name.focus()
})

ui.cut.addEventListener("click", () => {
  if (isBroken) running?.reconnect()
  else running?.cut()
})

/** @param {string} key */
async function useKey(key) {
  const asking = createGateway(key)
  ui.keyProblem.textContent = ""
  try {
    const { data } = await asking.json("v1/models")
    listModels(data.map((/** @type {{ id: string }} */ { id }) => id))
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    if (error.status === 401) remember("key", undefined)
    return askForKey(inWords(error))
  }
  gateway = asking
  remember("key", key)
  ui.key.value = ""
  ui.keyForm.hidden = true
  ui.keyKnown.hidden = false
  document.body.dataset["key"] = "known"
  showProblem("")
  openBooks(recall("admin-key") ?? key)
  const stream = recall("stream")
  if (stream !== undefined) begin({ id: stream })
}

/** @param {string} problem */
function askForKey(problem) {
  ui.keyProblem.textContent = problem
  ui.keyForm.hidden = false
  ui.keyKnown.hidden = true
  ui.key.focus()
  ui.key.select()
}

/** @param {string} key @param {boolean} [isTyped] For this: that the key in use is no admin's is no mistake. */
function openBooks(key, isTyped = false) {
  books?.close()
  books = watchBooks(createGateway(key), {
    shown() {
      ui.admin.hidden = true
      if (isTyped) remember("admin-key", key)
    },
    refused(trouble) {
      books = undefined
      remember("admin-key", undefined)
      ui.admin.hidden = false
      ui.adminForm.hidden = false
      if (isTyped) ui.adminNote.textContent = inWords(trouble)
    },
  })
}

function send() {
  if (gateway === undefined) return askForKey(NO_KEY)
  const model = ui.model.value === ANOTHER ? ui.name.value.trim() : ui.model.value
  if (model === "") return ui.name.focus()
  const content = ui.prompt.value.trim()
  if (content === "") return ui.prompt.focus()
  const messages = [{ role: "user", content }]
  begin({ body: { model, messages, stream: true, stream_options: { include_usage: true } } })
}

/** @param {{ body: object } | { id: string }} question */
function begin(question) {
  if (gateway === undefined) return
  remember("stream", undefined)
  setConnection(false)
  running = showAnswer(gateway, question, {
    opened(id) {
      // After a reload it is read again: the gateway has every word of it, so nothing else need be kept.
      remember("stream", id)
      books?.look()
    },
    connection: setConnection,
    ended(id, ending) {
      running = undefined
      setConnection(false)
      if (ending.trouble?.status === 401) askForKey(inWords(ending.trouble))
      if (ending.trouble?.status === 404 || id === "") remember("stream", undefined)
      if (id !== "") void showCostOf(id)
    },
  })
  setConnection(false)
}

/** @param {string} id */
async function showCostOf(id) {
  const cost = await books?.costOf(id)
  if (running === undefined && cost !== undefined) showCost(cost === null ? "no price" : dollars(cost))
  books?.look()
}

/** @param {boolean} broken */
function setConnection(broken) {
  isBroken = broken
  const isRunning = running !== undefined
  ui.send.textContent = isRunning ? "Stop" : "Send"
  // As a plain button it is not pressed by Enter in a field.
  ui.send.type = isRunning ? "button" : "submit"
  ui.cut.textContent = broken ? "Reconnect now" : "Cut the connection"
  // Not `disabled`, which would take the focus from whoever has just pressed it.
  ui.cut.setAttribute("aria-disabled", String(!isRunning))
}

/** @param {readonly string[]} ids */
function listModels(ids) {
  const names = [SLOW_SIM, ...ids.filter((id) => id !== "sim/story")]
  const options = [...names.map((name) => new Option(name, name)), new Option("another …", ANOTHER)]
  const chosen = ui.model.value
  ui.model.replaceChildren(...options)
  if (names.includes(chosen)) ui.model.value = chosen
}
