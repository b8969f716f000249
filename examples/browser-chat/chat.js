/**
 * The page. All that it knows stands in `state`, and the tab's session storage keeps a copy: after a reload the
 * conversation is there again, and an answer that was being written goes on behind the last event seen.
 */
const STORE = "browser-chat"
const LONGEST_PAUSE = 8000

/** @type {{ messages: { role: string, content: string }[], open?: { id: string, after: string } }} */
const state = JSON.parse(sessionStorage.getItem(STORE) ?? '{"messages":[]}')
const log = document.querySelector("#log")
const form = document.querySelector("form")
const input = document.querySelector("textarea")
const button = document.querySelector("button")
const note = document.querySelector("#note")
let bubble

for (const message of state.messages) show(message)
if (state.open) {
  note.textContent = "Picked up where it was."
  follow(undefined)
} else setBusy(false)

form.addEventListener("submit", (event) => {
  event.preventDefault()
  if (state.open) stop()
  else if (document.body.dataset.state === "idle" && input.value.trim() !== "") ask(input.value.trim())
})
input.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
  event.preventDefault()
  if (!state.open) form.requestSubmit()
})

async function ask(content) {
  input.value = ""
  note.textContent = ""
  state.messages.push({ role: "user", content })
  show(state.messages.at(-1))
  setBusy(true)
  const body = JSON.stringify({ messages: state.messages })
  const response = await fetch("/answers", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  }).catch(() => undefined)
  if (!response?.ok) return fail(response)
  state.messages.push({ role: "assistant", content: "" })
  show(state.messages.at(-1))
  state.open = { id: response.headers.get("answer-id"), after: "" }
  keep()
  await follow(response)
}

/** Reads the open answer to its end, over as many connections as that takes. */
async function follow(response) {
  setBusy(true)
  for (let failures = 0; state.open; ) {
    try {
      const { id, after } = state.open
      response ??= await fetch(`/answers/${id}?after=${after}`)
      if (!response.ok) return fail(response)
      for await (const event of eventsOf(response.body)) {
        failures = 0
        take(event)
      }
    } catch {}
    response = undefined
    if (!state.open) break
    failures += 1
    note.textContent = "The connection is gone. Trying again …"
    await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE, 250 * 2 ** failures)))
  }
  setBusy(false)
}

function take({ id, data }) {
  const { text, done, error } = JSON.parse(data)
  if (id) state.open.after = id
  if (text) {
    note.textContent = ""
    state.messages.at(-1).content += text
    bubble.textContent = state.messages.at(-1).content
    window.scrollTo({ top: document.body.scrollHeight })
  }
  if (error) note.textContent = error
  if (done || error) state.open = undefined
  keep()
}

/** The few rules of server-sent events that our own server needs. */
async function* eventsOf(body) {
  let rest = ""
  for await (const text of readAll(body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (rest + text).split("\n\n")
    rest = blocks.pop()
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s, 2)))
      if (fields.data) yield fields
    }
  }
}

/** Not every browser iterates a stream by itself. */
async function* readAll(stream) {
  const reader = stream.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value
}

async function stop() {
  button.disabled = true
  await fetch(`/answers/${state.open.id}`, { method: "DELETE" }).catch(() => {})
  button.disabled = false
}

async function fail(response) {
  const told = await response?.json().catch(() => undefined)
  note.textContent = told?.error ?? "The server cannot be reached."
  state.open = undefined
  keep()
  setBusy(false)
}

function show({ role, content }) {
  bubble = document.createElement("li")
  bubble.className = role
  bubble.textContent = content
  log.append(bubble)
  bubble.scrollIntoView({ block: "end" })
}

function setBusy(busy) {
  document.body.dataset.state = busy ? "busy" : "idle"
  button.textContent = busy ? "Stop" : "Send"
  if (!busy) input.focus()
}

function keep() {
  sessionStorage.setItem(STORE, JSON.stringify(state))
}
