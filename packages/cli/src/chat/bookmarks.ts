/**
 * Where each running answer was, so that another process can go on there: a small file for each in the user's state
 * folder, gone when the answer has ended. It holds an id and a number, never a word of what was said.
 *
 * The place is written right behind the text. Between both stands nothing that waits, but a `kill -9` may fall there:
 * then the last piece is shown a second time. Written before the text, it would be lost instead.
 */
import { closeSync, globSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type { Terminal } from "../terminal.ts"

export interface Bookmark {
  readonly baseURL: string
  readonly id: string
  readonly lastEventId: string
}

export interface Bookmarks {
  /** An answer has begun, or goes on. */
  place(at: Bookmark): Place
  /** The newest whose reader is no more. */
  latest(baseURL: string): Bookmark | undefined
  /** Of other gateways, for whoever finds none here. */
  elsewhere(baseURL: string): Bookmark | undefined
  forget(id: string): void
}

export interface Place {
  /** What has been shown ends with this event. */
  reached(lastEventId: string): void
  /** Nothing is left to resume, or somebody else is to do it. */
  close(ended: boolean): void
}

/** No gateway keeps a stream as long as this. */
const STALE = 24 * 3_600_000

/** Where the folder cannot be used there are no bookmarks: a chat is worth more than its resumption. */
export function openBookmarks(environment: Terminal["environment"]): Bookmarks {
  const folder = join(environment["XDG_STATE_HOME"] || join(homedir(), ".local/state"), "sluice/chats")
  const fileOf = (id: string): string => join(folder, `${id}.json`)

  function all(): Bookmark[] {
    return globSync("*.json", { cwd: folder })
      .map((name) => join(folder, name))
      .map((file) => ({ file, changedAt: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .filter(({ file, changedAt }) => isFresh(file, changedAt))
      .sort((one, other) => other.changedAt - one.changedAt)
      .map(({ file }) => readBookmark(file))
      .filter((found) => found !== undefined)
  }

  return {
    place(at) {
      const file = openFile(folder, fileOf(at.id))
      const write = (lastEventId: string): void => {
        if (file !== undefined) writeSync(file, record(at, lastEventId), 0)
      }
      write(at.lastEventId)
      return {
        reached: write,
        close(ended) {
          if (file !== undefined) closeSync(file)
          if (ended) forget(at.id)
        },
      }
    },
    latest: (baseURL) => all().find((found) => found.baseURL === baseURL),
    elsewhere: (baseURL) => all().find((found) => found.baseURL !== baseURL),
    forget,
  }

  function forget(id: string): void {
    if (isName(id)) remove(fileOf(id))
  }

  function isFresh(file: string, changedAt: number): boolean {
    if (Date.now() - changedAt < STALE) return true
    remove(file)
    return false
  }

  function openFile(folder: string, file: string): number | undefined {
    if (!isName(file.slice(folder.length + 1, -".json".length))) return undefined
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      return openSync(file, "w", 0o600)
    } catch {
      return undefined
    }
  }
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // What cannot be removed could not be written either.
  }
}

/** As long each time, so that one write in place is enough. */
function record({ baseURL, id }: Bookmark, lastEventId: string): string {
  const written = { baseURL, id, process: process.pid, lastEventId: lastEventId.padEnd(15) }
  return `${JSON.stringify(written)}\n`
}

/** Undefined: its chat still runs, or it is no bookmark. */
function readBookmark(file: string): Bookmark | undefined {
  try {
    const { baseURL, id, process: reader, lastEventId } = JSON.parse(readFileSync(file, "utf8"))
    if (typeof baseURL !== "string" || !isName(id) || typeof lastEventId !== "string" || isAlive(reader))
      return undefined
    return { baseURL, id, lastEventId: lastEventId.trim() }
  } catch {
    return undefined
  }
}

function isAlive(pid: unknown): boolean {
  if (typeof pid !== "number" || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** An id comes from a server: it must not become a path. */
function isName(id: unknown): id is string {
  return typeof id === "string" && /^[\w-]{1,128}$/.test(id)
}
