/**
 * A chat in the terminal. Start a gateway (`npm start`), then in another terminal:
 *
 *   SLUICE_API_KEY=sk-… node examples/terminal-chat.ts [model]
 *
 * Ctrl-C stops the answer that is being written, or leaves when none is. Pull the plug of your network while it
 * writes: it goes on where it was.
 */
import { createInterface } from "node:readline"
import { CancelledError, type ChatParams, Sluice, SluiceError } from "@sluice/sdk"

const model = process.argv[2] ?? "sim/story:tokens=80,gap=30"
const client = new Sluice() // SLUICE_BASE_URL and SLUICE_API_KEY say where and who
const messages: ChatParams["messages"] = []
const terminal = createInterface({ input: process.stdin, output: process.stdout, prompt: "\nyou  " })
let answering: AbortController | undefined
let isOpen = true

terminal.on("close", () => {
  isOpen = false
})
terminal.on("SIGINT", () => (answering ? answering.abort() : terminal.close()))
console.log(`${model} at ${client.baseURL}`)
terminal.prompt()
for await (const line of terminal) {
  if (line.trim() !== "") await answer(line)
  if (isOpen) terminal.prompt()
}

async function answer(question: string): Promise<void> {
  messages.push({ role: "user", content: question })
  answering = new AbortController()
  let text = ""
  process.stdout.write("\nit  ")
  try {
    const stream = await client.chat.send({ model, messages, stream: true }, { signal: answering.signal })
    for await (const piece of stream.text()) {
      text += piece
      process.stdout.write(piece)
    }
    const { usage } = await stream.final()
    process.stdout.write(`\n    ${usage?.completionTokens ?? "?"} tokens\n`)
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error
    process.stdout.write(error instanceof CancelledError ? "\n    stopped\n" : `\n    ${error.message}\n`)
  } finally {
    answering = undefined
    // What came of a broken answer is part of the conversation too.
    if (text === "") messages.pop()
    else messages.push({ role: "assistant", content: text })
  }
}
