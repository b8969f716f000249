/** `sluice chat`: ask once, hold a conversation, or read the rest of an answer that broke off. */
import { text as readAll } from "node:stream/consumers"
import type { ChatParams, ChatStream } from "@sluice/sdk"
import { type Answer, readAnswer } from "./chat/answer.ts"
import { type Bookmark, type Bookmarks, openBookmarks } from "./chat/bookmarks.ts"
import { type ChatClient, createClient } from "./chat/client.ts"
import { converse, type Messages } from "./chat/conversation.ts"
import { createShow, type ShowForm } from "./chat/show.ts"
import { CONNECTION_FLAGS, type Connection, connectionHelp, readConnection } from "./connection.ts"
import { Misuse, readFlags, readNumber, readWhole } from "./flags.ts"
import type { Terminal } from "./terminal.ts"

const FLAGS = {
  ...CONNECTION_FLAGS,
  model: { type: "string", short: "m" },
  system: { type: "string", short: "s" },
  "max-tokens": { type: "string" },
  temperature: { type: "string" },
  resume: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const

const DEFAULT_MODEL = "sim/story:gap=30"

const HELP = `usage: sluice chat [options] [prompt]
       sluice chat --resume [id[:event]]

Asks a model and shows its answer as it comes. Without a prompt, at a terminal, it holds a conversation; from a pipe
it takes what comes through as the prompt. Behind an answer a terminal shows the time to the first token, the rate,
the tokens, the cost, how it ended, and its id; of these it leaves out what is not known.

  sluice chat "Tell me a story."
  sluice chat --model openai/gpt-4o-mini --system "Answer in one line." "Why is the sky blue?"
  git diff | sluice chat "Write a commit message for:" -       '-' stands for what comes through the pipe
  sluice chat --json Hello | jq .choices[0].delta.content
  sluice chat --resume                                         the last one that broke off, from where it was
  sluice chat --resume gen-5b2f…:42                            one by its id, behind its 42nd event

asking
  -m, --model MODEL    what to ask (default ${DEFAULT_MODEL}, a simulator); 'sluice models' lists what there is
  -s, --system TEXT    what to tell the model beforehand
  --max-tokens N       no more tokens than this
  --temperature X      from 0 to 2

resuming
  --resume             read the rest of an answer: a connection that drops is picked up by itself, this is for a
                       terminal that was closed or a process that was killed. An id without an event: from the
                       beginning. Where each answer was is kept in $XDG_STATE_HOME/sluice, its words are not.

output
  --json               each chunk as it came, one a line, and behind them a summary ("object": "sluice.chat.summary")
                       A pipe gets the text and nothing else; errors and notes go to standard error.
${connectionHelp("user")}
exit codes
  0 finished    1 failed, or broke off    2 not asked rightly    130 stopped with ctrl-C
`

interface Session {
  readonly terminal: Terminal
  readonly connection: Connection
  readonly client: ChatClient
  readonly bookmarks: Bookmarks
  readonly form: ShowForm
}

export async function chat(args: string[], terminal: Terminal): Promise<number> {
  const { flags, words } = readFlags(args.flatMap(splitResume), FLAGS)
  if (flags.help === true) {
    terminal.out.write(HELP)
    return 0
  }
  const params = {
    model: flags.model ?? DEFAULT_MODEL,
    maxTokens: readWhole("--max-tokens", flags["max-tokens"], 1, 1_000_000_000),
    temperature: readNumber("--temperature", flags.temperature, 0, 2),
  }
  const connection = readConnection(flags, "user", terminal.environment)
  const session: Session = {
    terminal,
    connection,
    client: createClient(connection),
    bookmarks: openBookmarks(terminal.environment),
    form: flags.json === true ? "json" : "text",
  }
  const send = (messages: Messages, signal: AbortSignal): Promise<ChatStream> =>
    session.client.chat.send(
      { ...defined(params), messages, stream: true },
      { signal },
    ) as Promise<ChatStream>

  if (flags.resume === true) return resume(session, words)
  const prompt = await readPrompt(words, terminal)
  const { system } = flags
  if (prompt !== undefined) {
    const messages: Messages = [
      ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
      { role: "user", content: prompt },
    ]
    return once(session, (signal) => show(session, (aborted) => send(messages, aborted), signal))
  }
  if (session.form === "json") throw new Misuse("--json needs a prompt: a conversation is for people.")
  return converse({
    terminal,
    greeting: `${params.model} at ${connection.root}`,
    system,
    async answer(messages, signal) {
      const answer = await show(session, (aborted) => send(messages, aborted), signal)
      await session.client.settled()
      return answer
    },
  })
}

/** Undefined: there is none, and somebody sits at the terminal. */
async function readPrompt(words: readonly string[], { input, out }: Terminal): Promise<string | undefined> {
  if (words.length === 0 && input.isTTY && out.isTerminal) return undefined
  if (words.length === 0 && input.isTTY)
    throw new Misuse("what to ask? Give a prompt: a conversation needs a terminal to show it.")
  const isPiped = words.length === 0 || words.includes("-")
  const piped = isPiped ? (await readAll(input)).trim() : ""
  const prompt =
    words.length === 0 ? piped : words.map((word) => (word === "-" ? `\n${piped}` : word)).join(" ")
  if (prompt.trim() === "") throw new Misuse("what to ask? The prompt is empty.")
  return prompt
}

async function resume(session: Session, words: readonly string[]): Promise<number> {
  const { bookmarks, connection, client } = session
  if (words.length > 1) throw new Misuse(`--resume takes one id, '${words[1]}' is one word too many.`)
  const { id, lastEventId } = words[0] === undefined ? lastOne(bookmarks, connection) : readBookmark(words[0])
  const open = (signal: AbortSignal): Promise<ChatStream> =>
    client.chat.resume({ id, lastEventId }, { signal })
  return once(session, async (signal) => {
    const answer = await show(session, open, signal, { isRest: true, lastEventId })
    // It is kept no longer: there is nothing to come back to.
    if (answer.error?.status === 404 || answer.error?.status === 410) bookmarks.forget(id)
    return answer
  })
}

function lastOne(bookmarks: Bookmarks, { baseURL, root }: Connection): Pick<Bookmark, "id" | "lastEventId"> {
  const found = bookmarks.latest(baseURL)
  if (found !== undefined) return found
  const other = bookmarks.elsewhere(baseURL)
  const hint =
    other === undefined ? "Name one by its id." : `One of ${other.baseURL} has: name that gateway with --url.`
  throw new Misuse(`no answer of ${root} has broken off here. ${hint}`)
}

function readBookmark(word: string): Pick<Bookmark, "id" | "lastEventId"> {
  const [, id, lastEventId = ""] = /^([\w-]{1,128})(?::(\d{1,15}))?$/.exec(word) ?? []
  if (id === undefined) throw new Misuse(`'${word}' is not an id such as gen-5b2f, or gen-5b2f:42.`)
  return { id, lastEventId }
}

/** One answer, and ctrl-C stops it: the gateway is told. A second ctrl-C does not wait for that. */
async function once(
  { terminal, client }: Session,
  ask: (signal: AbortSignal) => Promise<Answer>,
): Promise<number> {
  const stopping = new AbortController()
  const stop = (): void => {
    if (stopping.signal.aborted) process.exit(130)
    stopping.abort()
  }
  process.on("SIGINT", stop)
  try {
    const answer = await ask(AbortSignal.any([stopping.signal, terminal.out.gone]))
    await client.settled()
    if (stopping.signal.aborted) return 130
    return answer.ending === "finished" ? 0 : 1
  } finally {
    process.off("SIGINT", stop)
  }
}

async function show(
  { terminal, connection, client, bookmarks, form }: Session,
  open: (signal: AbortSignal) => Promise<ChatStream>,
  signal: AbortSignal,
  { isRest, lastEventId }: { isRest: boolean; lastEventId: string } = { isRest: false, lastEventId: "" },
): Promise<Answer> {
  const shown = createShow(terminal, connection, form)
  client.listen(shown)
  const answer = await readAnswer({
    open: () => open(signal),
    place: (id) => bookmarks.place({ baseURL: connection.baseURL, id, lastEventId }),
    listener: shown,
    isRest,
  })
  shown.end(answer)
  return answer
}

/** `--resume=ID` is `--resume ID`. */
function splitResume(argument: string): string[] {
  return argument.startsWith("--resume=") ? ["--resume", argument.slice("--resume=".length)] : [argument]
}

function defined(params: {
  model: string
  maxTokens: number | undefined
  temperature: number | undefined
}): Pick<ChatParams & object, "model"> {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as {
    model: string
  }
}
