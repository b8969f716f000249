import assert from "node:assert/strict"
import { test } from "node:test"
import type { AdminCall, AdminCalls } from "@sluice/sdk/admin"
import { followCalls } from "./follow-calls.ts"

test("each call is shown once open and once settled, however many rounds there are", async () => {
  const books = createBooks()
  const { look, shown } = follow(books)
  books.begin("a", 1_000)
  await look()
  books.begin("b", 2_000)
  await look()
  await look()
  books.settle("a")
  books.begin("c", 3_000)
  books.settle("c")
  await look()
  await look()
  assert.deepEqual(shown, ["a open", "b open", "a finished", "c finished"])
})

test("a row that comes late into the books, from another gateway, is shown too", async () => {
  const books = createBooks()
  const { look, shown } = follow(books)
  books.begin("new", 50_000)
  await look()
  books.begin("late", 45_000)
  await look()
  assert.deepEqual(shown, ["new open", "late open"])
})

test("a call that was open long before it was first looked at is shown when it settles, and asked for once", async () => {
  const books = createBooks()
  books.begin("old", 0)
  for (let index = 0; index < 300; index++) books.settle(books.begin(`call-${index}`, 1_000_000 + index))
  const { look, shown } = follow(books, 1)
  await look()
  assert.deepEqual(shown.splice(0), ["call-299 finished"])
  await look()
  assert.equal(books.asked.filter((what) => what.startsWith("get")).length, 0)
  books.settle("old")
  await look()
  await look()
  assert.deepEqual(shown, ["old finished"])
  assert.deepEqual(
    books.asked.filter((what) => what.startsWith("get")),
    ["get old"],
  )
})

test("where nothing new has come, a round reads no more than a page", async () => {
  const books = createBooks()
  for (let index = 0; index < 5_000; index++) books.settle(books.begin(`call-${index}`, 1_000_000 + index))
  const { look } = follow(books)
  await look()
  books.rowsRead = 0
  await look()
  assert.ok(books.rowsRead <= 200, `${books.rowsRead} rows`)
})

function follow(books: ReturnType<typeof createBooks>, last = 10) {
  const shown: string[] = []
  const show = ({ id, ending }: AdminCall): void => void shown.push(`${id} ${ending ?? "open"}`)
  return { shown, look: followCalls(books.calls, { filter: {}, last, ending: undefined, show }) }
}

function createBooks() {
  const rows = new Map<string, AdminCall>()
  const asked: string[] = []
  const books = {
    asked,
    rowsRead: 0,
    begin(id: string, startedAt: number): string {
      rows.set(id, { id, ending: null, startedAt: new Date(startedAt).toISOString() } as AdminCall)
      return id
    },
    settle(id: string): void {
      rows.set(id, { ...rows.get(id)!, ending: "finished" })
    },
    calls: {
      async list({ limit = 50, ending } = {}) {
        return { data: found({ ending }).slice(0, limit), next: null }
      },
      async *all(filter) {
        for (const row of found(filter ?? {})) {
          books.rowsRead += 1
          yield row
        }
      },
      async get(id) {
        asked.push(`get ${id}`)
        return rows.get(id)!
      },
    } as Pick<AdminCalls, "list" | "all" | "get">,
  }
  return books

  function found({ ending, from }: { ending?: string; from?: string }): AdminCall[] {
    return [...rows.values()]
      .filter((row) => ending === undefined || (row.ending ?? "open") === ending)
      .filter((row) => from === undefined || row.startedAt >= from)
      .sort((one, other) => (one.startedAt < other.startedAt ? 1 : -1))
  }
}
