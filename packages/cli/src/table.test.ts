import assert from "node:assert/strict"
import { test } from "node:test"
import { type Column, printTable, widthOf } from "./table.ts"
import type { Screen, Style } from "./terminal.ts"

interface Row {
  readonly name: string
  readonly count: string
}

const COLUMNS: readonly Column<Row>[] = [
  { head: "name", cell: ({ name }) => name },
  { head: "count", align: "right", cell: ({ count }) => count },
]

test("texts stand to the left, numbers to the right, and nothing trails", () => {
  const rows = [
    { name: "a", count: "1" },
    { name: "longer", count: "1,234" },
  ]
  assert.equal(shown(rows), "name    count\na           1\nlonger  1,234\n")
})

test("a width is what is seen: wide characters are two, marks and colours none", () => {
  assert.deepEqual(["abc", "名前", "e\u0301", "🙂", "\u001b[2mdim\u001b[22m"].map(widthOf), [3, 4, 1, 2, 3])
})

test("on a terminal the widest text gives way, numbers never", () => {
  const text = shown([{ name: "a very long name", count: "12,345,678" }], 22)
  assert.equal(text, "name             count\na very lo…  12,345,678\n")
  assert.equal(shown([{ name: "名前名前名前", count: "1" }], 15).split("\n")[1], "名前名…       1")
})

test("a total stands below and is no row of its own", () => {
  assert.equal(
    shown([{ name: "a", count: "1" }], undefined, { name: "", count: "1" }),
    "name  count\na         1\n          1\n",
  )
})

test("a name from elsewhere stays in its cell", () => {
  assert.equal(shown([{ name: "a\n\u001b[2Jb", count: "1" }]), "name    count\na [2Jb      1\n")
})

function shown(rows: readonly Row[], columns?: number, total?: Row): string {
  let text = ""
  const same = (part: string): string => part
  const style: Style = { bold: same, dim: same, red: same, green: same, yellow: same }
  const screen = { style, columns, line: (line: string) => (text += `${line}\n`) } as unknown as Screen
  printTable(screen, COLUMNS, rows, total)
  return text
}
