/** The examples that people copy: TypeScript blocks of doc comments and of Markdown files, and who lacks one. */

export interface Example {
  /** Where it stands, for the message when it does not compile. */
  readonly place: string
  readonly code: string
}

/** The ```ts blocks after `@example` in a source file's doc comments. */
export function examplesInSource(path: string, source: string): Example[] {
  return docComments(source).flatMap(({ text, line }) =>
    examplesIn(text).map((code, index) => ({
      place: `${path}:${line}${index > 0 ? `#${index + 1}` : ""}`,
      code,
    })),
  )
}

export interface Block extends Example {
  /** What stands behind the fence; "" for nothing. */
  readonly language: string
  /** The reason of a `<!-- not run: … -->` in the line above. */
  readonly notRun: string | undefined
}

/** The fenced blocks of a Markdown file in one of these languages; all of them where none is named. */
export function blocksInMarkdown(path: string, text: string, ...languages: readonly string[]): Block[] {
  const blocks = text.matchAll(/(?:^<!-- not run: (.+?) -->\n)?^```([\w-]*)\n(.*?)^```$/gms)
  return [...blocks]
    .filter(({ 2: language = "" }) => languages.length === 0 || languages.includes(language))
    .map(({ 0: whole, 1: notRun, 2: language = "", 3: code = "", index }) => ({
      place: `${path}:${lineAt(text, index + whole.indexOf("```"))}`,
      language,
      notRun,
      code,
    }))
}

/** The exported values of a source file that have no doc comment with an example right before them. */
export function withoutExample(source: string): string[] {
  const documented = new Set(
    docComments(source)
      .filter(({ text }) => examplesIn(text).length > 0)
      .flatMap(({ declares }) => declares ?? []),
  )
  return [...source.matchAll(new RegExp(DECLARATION, "gm"))]
    .map(([, name = ""]) => name)
    .filter((name, index, names) => !documented.has(name) && names.indexOf(name) === index)
}

const DECLARATION = String.raw`^export (?:async )?(?:abstract )?(?:const|let|class|function\*?) (\w+)`

interface DocComment {
  readonly text: string
  readonly line: number
  /** The value that it stands before. */
  readonly declares: string | undefined
}

function docComments(source: string): DocComment[] {
  return [...source.matchAll(/^[ \t]*\/\*\*(.*?)\*\/\n?/gms)].map(({ 0: whole, 1: inner = "", index }) => ({
    text: inner.replace(/^[ \t]*\* ?/gm, ""),
    line: lineAt(source, index),
    declares: new RegExp(DECLARATION).exec(source.slice(index + whole.length))?.[1],
  }))
}

function examplesIn(comment: string): string[] {
  const blocks = comment.matchAll(/@example[^\n]*\n+```ts\n(.*?)^```/gms)
  return [...blocks].map(([, code = ""]) => code)
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length
}
