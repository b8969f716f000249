/** A conversation at a terminal: one question after another, each answer part of what the next is asked with. */
import { createInterface } from "node:readline"
import { Writable } from "node:stream"
import type { ChatParams } from "@sluice/sdk"
import type { Terminal } from "../terminal.ts"
import type { Answer } from "./answer.ts"

export type Messages = ChatParams["messages"]

export interface ConversationOptions {
  readonly terminal: Terminal
  readonly greeting: string
  readonly system: string | undefined
  readonly answer: (messages: Messages, signal: AbortSignal) => Promise<Answer>
}

const PROMPT = "› "
const HELP = "/new forgets what was said   /exit or ctrl-D leaves   ctrl-C stops an answer\n"

export async function converse({ terminal, greeting, system, answer }: ConversationOptions): Promise<number> {
  const { out, notes } = terminal
  const keyboard = createKeyboard(terminal)
  const beginning: Messages = system === undefined ? [] : [{ role: "system", content: system }]
  let messages = [...beginning]
  notes.line(notes.style.dim(greeting))
  notes.write(notes.style.dim(HELP))

  for (let line = await keyboard.read(); line !== undefined; line = await keyboard.read()) {
    const asked = line.trim()
    if (asked === "/exit" || asked === "/quit") break
    if (asked === "/new") {
      messages = [...beginning]
      notes.line(notes.style.dim("forgotten"))
    } else if (/^\/[a-z]*$/.test(asked)) notes.write(notes.style.dim(HELP))
    else if (asked !== "") await take(line)
  }
  keyboard.close()
  return keyboard.interrupted ? 130 : 0

  async function take(question: string): Promise<void> {
    messages.push({ role: "user", content: question })
    out.write("\n")
    const { text } = await keyboard.whileListening((signal) => answer(messages, signal))
    out.write("\n")
    // What came of a broken answer is part of the conversation too.
    if (text === "") messages.pop()
    else messages.push({ role: "assistant", content: text })
  }
}

interface Keyboard {
  /** The next line; undefined when the user leaves. */
  read(): Promise<string | undefined>
  /** Nothing that is typed meanwhile is shown; ctrl-C aborts the signal. */
  whileListening<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result>
  /** The user has left by ctrl-C. */
  readonly interrupted: boolean
  close(): void
}

function createKeyboard({ input, out }: Terminal): Keyboard {
  let answering: AbortController | undefined
  let isOpen = true
  let interrupted = false
  let wake: () => void = () => {}
  const lines: { text: string; wasHidden: boolean }[] = []
  const screen = whenShown(out.stream, () => answering === undefined)
  const reader = createInterface({ input, output: screen, terminal: true, prompt: PROMPT })
  reader.on("line", (text) => {
    lines.push({ text, wasHidden: answering !== undefined })
    wake()
  })
  reader.on("close", () => {
    isOpen = false
    wake()
  })
  reader.on("SIGINT", stop)
  process.on("SIGINT", stop)

  function stop(): void {
    if (answering !== undefined) return answering.abort()
    if (reader.line !== "") {
      reader.write(null, { ctrl: true, name: "e" })
      reader.write(null, { ctrl: true, name: "u" })
      return
    }
    interrupted = true
    reader.close()
  }

  return {
    async read() {
      if (lines.length === 0 && isOpen) {
        reader.prompt(true)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const line = lines.shift()
      // Typed while the answer before it was written, when nothing could be shown.
      if (line?.wasHidden === true) out.line(PROMPT + line.text)
      if (line === undefined) out.write("\n")
      return line?.text
    },
    async whileListening(work) {
      answering = new AbortController()
      try {
        return await work(answering.signal)
      } finally {
        answering = undefined
      }
    },
    get interrupted() {
      return interrupted
    },
    close() {
      process.off("SIGINT", stop)
      reader.close()
    },
  }
}

/** The line editor's own view of the terminal: what it draws while an answer is written would go into the answer. */
function whenShown(stream: NodeJS.WriteStream, isShown: () => boolean): NodeJS.WritableStream {
  const screen = new Writable({
    decodeStrings: false,
    write(text, _, done) {
      if (isShown()) stream.write(text)
      done()
    },
  })
  Object.defineProperties(screen, {
    columns: { get: () => stream.columns },
    rows: { get: () => stream.rows },
    isTTY: { value: true },
  })
  stream.on("resize", () => screen.emit("resize"))
  return screen
}
