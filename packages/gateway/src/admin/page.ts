/** Pages of what is listed whole: newest first, from behind the last one shown, whatever came or went meanwhile. */
import { wrong } from "./parse.ts"

interface Listed {
  readonly id: string
  readonly createdAt: number
}

const DEFAULT_LIMIT = 50

export interface PageAsked {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export function pageOf<Item extends Listed>(
  items: readonly Item[],
  { limit = DEFAULT_LIMIT, cursor }: PageAsked,
): { items: readonly Item[]; next: string | null } {
  const behind = cursor === undefined ? undefined : readCursor(cursor)
  const rest = items.filter((item) => behind === undefined || compare(behind, item) < 0).sort(compare)
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  const next = rest.length > limit && last !== undefined ? `${last.createdAt}.${last.id}` : null
  return { items: page, next }
}

export function limitOf({ limit = DEFAULT_LIMIT }: PageAsked): number {
  return limit
}

function compare(one: Listed, other: Listed): number {
  if (one.createdAt !== other.createdAt) return other.createdAt - one.createdAt
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0
}

function readCursor(cursor: string): Listed {
  const [, createdAt, id] = /^(\d{1,15})\.([\w-]+)$/.exec(cursor) ?? []
  if (createdAt === undefined || id === undefined) {
    throw wrong("cursor", "cursor must be the 'next' of a page of this list.")
  }
  return { id, createdAt: Number(createdAt) }
}
