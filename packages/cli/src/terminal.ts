/** What a command reads and writes: its words for a person, its lines for a program, and which of both it is. */
import { styleText } from "node:util"

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly input: NodeJS.ReadStream
  /** What was asked for. */
  readonly out: Screen
  /** What a person should know besides: errors, hints, figures. */
  readonly notes: Screen
}

export interface Screen {
  readonly stream: NodeJS.WriteStream
  readonly isTerminal: boolean
  /** Characters in a line; undefined: nobody looks at it or knows, so nothing is cut. */
  readonly columns: number | undefined
  readonly style: Style
  /** Aborted when nothing can be written any more: its reader has left (`| head`), or the disk is full. */
  readonly gone: AbortSignal
  write(text: string): void
  line(text: string): void
}

export type Style = Readonly<Record<"bold" | "dim" | "red" | "green" | "yellow", (text: string) => string>>

export function createTerminal(
  { stdin, stdout, stderr }: Pick<NodeJS.Process, "stdin" | "stdout" | "stderr">,
  environment: Terminal["environment"],
): Terminal {
  return {
    environment,
    input: stdin,
    out: createScreen(stdout, environment),
    notes: createScreen(stderr, environment),
  }
}

function createScreen(stream: NodeJS.WriteStream, environment: Terminal["environment"]): Screen {
  const isTerminal = stream.isTTY === true
  const gone = new AbortController()
  stream.on("error", (error) => gone.abort(error))
  return {
    stream,
    gone: gone.signal,
    isTerminal,
    get columns() {
      return isTerminal ? stream.columns || undefined : undefined
    },
    style: createStyle(isTerminal && !environment["NO_COLOR"] && environment["TERM"] !== "dumb"),
    write: (text) => void stream.write(text),
    line: (text) => void stream.write(`${text}\n`),
  }
}

function createStyle(isColoured: boolean): Style {
  const painter = (name: keyof Style) => (text: string) =>
    isColoured && text !== "" ? styleText(name, text, { validateStream: false }) : text
  return {
    bold: painter("bold"),
    dim: painter("dim"),
    red: painter("red"),
    green: painter("green"),
    yellow: painter("yellow"),
  }
}

/**
 * A text from elsewhere (a model's answer, a name in the books) without what a terminal would obey: escape sequences
 * can move the cursor, rename the window or answer in the user's place.
 */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "")
}
