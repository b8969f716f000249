import assert from "node:assert/strict"
import fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { createJournal, type Journal, type JournalOptions } from "./disk.ts"
import { type Files, realFiles } from "./disk-files.ts"
import { bytesOf, factsOf, flushed, GENEROUS, logSuite, readAll, textsOf } from "./log.suite.ts"

const root = fs.mkdtempSync(join(tmpdir(), "sluice-journal-"))
after(() => fs.rmSync(root, { recursive: true, force: true }))
let folders = 0
const newFolder = (): string => join(root, String(folders++))

for (const level of ["process", "power"] as const) {
  logSuite(`journal, ${level}`, {
    create: (limits, now) =>
      createJournal({ folder: newFolder(), level, limits, now, segmentBytes: 8 << 10 }),
  })
}

function open(folder: string, options: Partial<JournalOptions> = {}): Journal {
  return createJournal({ folder, level: "process", limits: GENEROUS, now: () => 0, ...options })
}

/** As after kill -9: nothing is flushed, closed or said; the descriptors go with the test's process. */
function reopen(folder: string, options: Partial<JournalOptions> = {}): Journal {
  return open(folder, options)
}

/** Whole numbers below a bound, the same ones each time. */
function pseudoRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

function segmentPaths(folder: string): string[] {
  const streams = join(folder, "streams")
  return fs
    .readdirSync(streams)
    .sort()
    .map((name) => join(streams, name))
}

function onDisk(folder: string): string {
  return segmentPaths(folder)
    .map((path) => fs.readFileSync(path, "latin1"))
    .join("")
}

test("nothing is visible before the flush, and an ending no sooner than its events", async () => {
  const log = open(newFolder(), { level: "power" })
  const stream = log.create(factsOf("a"))
  stream.append(bytesOf("one"))
  assert.deepEqual([stream.head, stream.visible], [1, 0])
  assert.deepEqual(stream.read(0, 100), [])
  const first = flushed(log)
  stream.append(bytesOf("two"))
  stream.end("finished")
  await first
  // The second batch was appended while the first one was under way.
  assert.deepEqual([stream.visible, stream.visibleEnding], [1, undefined])
  assert.deepEqual(textsOf(stream.read(0, 100)), ["one"])
  await flushed(log)
  assert.deepEqual([stream.visible, stream.visibleEnding], [2, "finished"])
  await log.close()
})

test("what is let go stands on the disk alone, once it stands there", async () => {
  const log = open(newFolder())
  const stream = log.create(factsOf("a"))
  stream.append(bytesOf("first"))
  await flushed(log)
  stream.append(bytesOf("second"))
  stream.letGo()
  assert.deepEqual(textsOf([stream.newest!]), ["first"])
  await flushed(log)
  assert.deepEqual(textsOf([stream.newest!]), ["second"])
  stream.letGo()
  assert.equal(stream.newest, undefined)
  assert.deepEqual(readAll(stream), ["first", "second"])
  await log.close()
})

test("what was flushed is there again after the process is gone, and the rest of the stream can be told", async () => {
  const folder = newFolder()
  const log = open(folder, { segmentBytes: 4 << 10 })
  const ended = log.create({ ...factsOf("ended"), idempotency: { scope: "key /v1 x", bodyHash: "h" } })
  const running = log.create(factsOf("running"))
  const texts = Array.from({ length: 300 }, (_, index) => `event ${index + 1} ${"y".repeat(index)}`)
  for (const text of texts) {
    ended.append(bytesOf(text))
    running.append(bytesOf(text.toUpperCase()))
    log.flush(() => {})
  }
  ended.note({ opened: { ok: true, model: "sim/a" } })
  ended.end("failed", { failure: { kind: "timeout" } })
  log.flush(() => {})
  running.append(bytesOf("never flushed"))

  const again = reopen(folder)
  assert.deepEqual(
    [...again.all()].map((stream) => [stream.facts.id, stream.visibleEnding]),
    [
      ["ended", "failed"],
      ["running", undefined],
    ],
  )
  const one = again.get("ended")!
  assert.deepEqual(one.facts, ended.facts)
  assert.deepEqual(one.notes, { opened: { ok: true, model: "sim/a" }, failure: { kind: "timeout" } })
  assert.deepEqual(readAll(one), texts)
  const other = again.get("running")!
  assert.equal(other.append(bytesOf("the end")), 301)
  other.end("interrupted")
  again.flush(() => {})
  assert.deepEqual(readAll(other, 299), [texts[299]!.toUpperCase(), "the end"])

  const third = reopen(folder)
  assert.equal(third.get("running")!.visibleEnding, "interrupted")
  assert.deepEqual(readAll(third.get("running")!, 300), ["the end"])
})

test("slips are read again after the process is gone, in their order, until they are forgotten", async () => {
  const folder = newFolder()
  const log = open(folder, { segmentBytes: 4 << 10 })
  const streams = ["a", "b"].map((id) => log.create(factsOf(id)))
  for (let number = 0; number < 60; number++) {
    for (const stream of streams) {
      if (number % 30 === 0) stream.putSlip(bytesOf(`slip ${number} of ${stream.facts.id} ${"s".repeat(90)}`))
      stream.append(bytesOf("x".repeat(90)))
    }
    log.flush(() => {})
  }
  for (const stream of streams) stream.end("finished")
  log.create(factsOf("none")).append(bytesOf("x"))
  log.flush(() => {})
  assert.ok(segmentPaths(folder).length > 2)

  // However little room there is.
  const again = reopen(folder, { limits: { ...GENEROUS, totalBytes: 1 } })
  for (const id of ["a", "b"]) {
    const stream = again.get(id)!
    assert.equal(stream.hasSlips, true)
    const said = [0, 30].map((number) => `slip ${number} of ${id} ${"s".repeat(90)}`)
    assert.deepEqual(textsOf(stream.slips()), said)
    stream.forgetSlips()
    assert.deepEqual([stream.hasSlips, stream.slips()], [false, []])
    stream.paid()
    assert.equal(again.get(id), undefined)
  }
  assert.deepEqual([again.get("none")!.hasSlips, again.get("none")!.slips()], [false, []])
})

test("wherever the last segment is torn, what is left is a prefix; what is appended after it is read again", () => {
  const folder = newFolder()
  const log = open(folder)
  const stream = log.create(factsOf("a"))
  for (let seq = 1; seq <= 12; seq++) {
    stream.append(bytesOf(`event ${seq}`))
    log.flush(() => {})
  }
  const [path] = segmentPaths(folder)
  const whole = fs.readFileSync(path!)
  let longest = 0
  for (let length = 0; length <= whole.length; length++) {
    const torn = newFolder()
    fs.mkdirSync(join(torn, "streams"), { recursive: true })
    fs.writeFileSync(join(torn, "streams", "00000001.journal"), whole.subarray(0, length))
    const again = reopen(torn)
    const left = again.get("a")
    const events = left === undefined ? [] : readAll(left)
    assert.deepEqual(
      events,
      Array.from({ length: events.length }, (_, index) => `event ${index + 1}`),
    )
    assert.ok(events.length >= longest, `a longer file has no fewer events (${length} bytes)`)
    longest = events.length
    left?.append(bytesOf("after"))
    again.flush(() => {})
    const third = reopen(torn)
    if (left !== undefined) assert.deepEqual(readAll(third.get("a")!), [...events, "after"])
    void again.close()
    void third.close()
  }
  assert.equal(longest, 12)
})

test("garbage at the end and a flipped bit anywhere are found: what is read is what was written, or nothing", () => {
  const folder = newFolder()
  const log = open(folder)
  const streams = [log.create(factsOf("a")), log.create(factsOf("b"))]
  for (let seq = 1; seq <= 20; seq++) {
    for (const stream of streams) stream.append(bytesOf(`${stream.facts.id} ${seq}`))
    if (seq === 20) for (const stream of streams) stream.end("finished")
    log.flush(() => {})
  }
  const [path] = segmentPaths(folder)
  const whole = fs.readFileSync(path!)
  for (let bit = 0; bit < whole.length * 8; bit += 13) {
    const damaged = Buffer.from(whole)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    checkDamaged(damaged)
  }
  const next = pseudoRandom(1)
  for (let round = 0; round < 50; round++) {
    const garbage = Buffer.from(Array.from({ length: 400 }, () => next(256)))
    // What looks like a batch's beginning, too.
    garbage.set(whole.subarray(32, 44), round * 5)
    checkDamaged(Buffer.concat([whole, garbage]))
  }

  function checkDamaged(bytes: Buffer): void {
    const place = newFolder()
    fs.mkdirSync(join(place, "streams"), { recursive: true })
    fs.writeFileSync(join(place, "streams", "00000001.journal"), bytes)
    let again: Journal
    try {
      again = reopen(place)
    } catch (error) {
      // A flip can make the version another one: then nothing is touched.
      assert.match(String(error), /newer version/)
      return
    }
    for (const stream of again.all()) {
      const { id } = stream.facts
      const expected = Array.from({ length: stream.visible - stream.first + 1 }, (_, index) => {
        return `${id} ${stream.first + index}`
      })
      assert.deepEqual(readAll(stream), expected)
      if (stream.visibleEnding === "finished") assert.equal(stream.visible, 20)
    }
    void again.close()
  }
})

test("deleted is gone: a raw look at the files finds nothing of an expired stream, and all of the others", async () => {
  let now = 0
  const folder = newFolder()
  const log = open(folder, { now: () => now, segmentBytes: 16 << 10, cleanAfter: 0 })
  const long = log.create({ ...factsOf("long"), owner: "owner-long" })
  const expected: string[] = []
  for (let number = 0; number < 40; number++) {
    const short = log.create({ ...factsOf(`short-${number}`), owner: "secret-owner" })
    for (let seq = 1; seq <= 10; seq++) {
      short.append(bytesOf(`secret-content ${number}/${seq} ${"z".repeat(150)}`))
      expected.push(`kept ${number}/${seq}`)
      long.append(bytesOf(expected.at(-1)!))
      log.flush(() => {})
    }
    short.note({ opened: { model: "secret-model" } })
    short.putSlip(bytesOf("secret-slip"))
    short.end("failed", { failure: { message: "secret-failure" } })
    log.flush(() => {})
  }
  assert.ok(segmentPaths(folder).length > 3)
  assert.match(onDisk(folder), /secret-content/)
  assert.match(onDisk(folder), /secret-model/)
  assert.match(onDisk(folder), /secret-slip/)
  now = GENEROUS.keep
  assert.equal(log.sweep(now).length, 40)
  await log.cleaned()
  assert.doesNotMatch(onDisk(folder), /secret|short-/)
  assert.deepEqual(readAll(long), expected)
  assert.deepEqual(readAll(reopen(folder, { now: () => now }).get("long")!), expected)

  // Cleaned once more, with what has come since.
  const late = log.create(factsOf("late"))
  late.append(bytesOf("secret-content again"))
  late.end("finished")
  long.append(bytesOf("more"))
  log.flush(() => {})
  now += GENEROUS.keep
  assert.deepEqual(log.sweep(now), ["late"])
  await log.cleaned()
  assert.doesNotMatch(onDisk(folder), /secret/)
  assert.deepEqual(readAll(reopen(folder, { now: () => now }).get("long")!), [...expected, "more"])

  long.end("finished")
  log.flush(() => {})
  now += GENEROUS.keep
  assert.deepEqual(log.sweep(now), ["long"])
  await log.cleaned()
  assert.doesNotMatch(onDisk(folder), /kept|owner-long/)
  await log.close()
})

test("a stream deleted for room stays deleted after a restart, and its segments are removed", async () => {
  const folder = newFolder()
  const limits = { ...GENEROUS, totalBytes: 50_000 }
  const log = open(folder, { limits, segmentBytes: 8 << 10 })
  for (let number = 0; number < 100; number++) {
    const stream = log.create(factsOf(`s${number}`))
    for (let seq = 0; seq < 10; seq++) stream.append(bytesOf(`n${number}. ${"x".repeat(200)}`))
    stream.end("finished")
    log.flush(() => {})
  }
  const kept = [...log.all()].map((stream) => stream.facts.id)
  assert.equal(kept.at(-1), "s99")
  assert.ok(kept.length > 10 && kept.length < 30, `${kept.length} streams are kept`)
  assert.doesNotMatch(onDisk(folder), /n0\. /)
  const bytes = segmentPaths(folder).reduce((sum, path) => sum + fs.statSync(path).size, 0)
  assert.ok(bytes < 2 * limits.totalBytes, `${bytes} bytes are on the disk`)
  const again = reopen(folder, { limits: GENEROUS })
  assert.deepEqual(
    [...again.all()].map((stream) => stream.facts.id),
    kept,
  )
})

test("events past max_bytes are gone after a restart as well", async () => {
  const folder = newFolder()
  const limits = { ...GENEROUS, maxBytes: 1_000 }
  const log = open(folder, { limits, segmentBytes: 2 << 10, cleanAfter: 0 })
  const stream = log.create(factsOf("a"))
  for (let seq = 1; seq <= 100; seq++) {
    stream.append(bytesOf(`event ${String(seq).padStart(94)}`))
    log.flush(() => {})
  }
  assert.equal(stream.first, 91)
  log.sweep(0)
  await log.cleaned()
  assert.doesNotMatch(onDisk(folder), /event +5\b/)
  const again = reopen(folder, { limits }).get("a")!
  assert.deepEqual([again.first, again.visible], [91, 100])
  assert.equal(readAll(again).length, 10)
})

test("a journal of a newer version stops the start and is left as it is", () => {
  const folder = newFolder()
  fs.mkdirSync(join(folder, "streams"), { recursive: true })
  const old = join(folder, "streams", "00000001.journal")
  const newer = join(folder, "streams", "00000002.journal")
  fs.writeFileSync(old, `${"sluice journal 1".padEnd(31)}\ntorn`)
  fs.writeFileSync(newer, `${"sluice journal 2".padEnd(31)}\nwho knows`)
  assert.throws(() => open(folder), /newer version/)
  assert.match(fs.readFileSync(old, "latin1"), /torn$/)
  assert.match(fs.readFileSync(newer, "latin1"), /who knows$/)
})

/** The n-th call that changes a file fails, and all after it until `mended`. */
function failing(fromCall: number): Files & { mended: boolean; calls: number } {
  const refuse = (): void => {
    if (!files.mended && ++files.calls >= fromCall) throw new Error("ENOSPC: no space left on device")
  }
  const files = {
    ...realFiles,
    mended: false,
    calls: 0,
    open(path: string, existing?: "existing") {
      refuse()
      return realFiles.open(path, existing)
    },
    write(file: number, bytes: Uint8Array, position: number) {
      try {
        refuse()
      } catch (error) {
        // A full disk takes the beginning.
        realFiles.write(file, bytes.subarray(0, bytes.length >> 1), position)
        throw error
      }
      realFiles.write(file, bytes, position)
    },
    async openLater(path: string) {
      refuse()
      return realFiles.openLater(path)
    },
    async writeLater(file: number, bytes: Uint8Array, position: number) {
      refuse()
      return realFiles.writeLater(file, bytes, position)
    },
    async sync(file: number) {
      refuse()
      return realFiles.sync(file)
    },
  }
  return files
}

for (const level of ["process", "power"] as const) {
  test(`${level}: whichever write fails, streams end failed, what was seen is kept, and it works again after`, async () => {
    for (let call = 1; call <= 14; call++) {
      const files = failing(call)
      const folder = newFolder()
      const log = open(folder, { files, level, segmentBytes: 512 })
      log.onLost = (stream) => {
        stream.append(bytesOf("the truth"))
        stream.end("failed")
      }
      const seen = new Map<string, string[]>()
      const streams = ["a", "b", "c"].map((id) => log.create(factsOf(id)))
      for (let seq = 1; seq <= 12; seq++) {
        for (const stream of streams)
          if (stream.ending === undefined) stream.append(bytesOf(`${stream.facts.id}${seq}`.repeat(9)))
        await flushed(log)
        for (const stream of streams) seen.set(stream.facts.id, readAll(stream))
        // Whoever followed it has all: what stands in memory alone stays there.
        streams[0]!.letGo()
      }
      if (files.calls < call) {
        assert.ok(call > 3, "calls that change files are counted")
        await log.close()
        continue
      }
      assert.match(log.trouble ?? "", /no space left/)
      for (const stream of streams) {
        const events = seen.get(stream.facts.id)!
        assert.equal(stream.visibleEnding, "failed")
        assert.equal(events.at(-1), "the truth")
        assert.deepEqual(
          events.slice(0, -1),
          events.slice(0, -1).map((_, index) => `${stream.facts.id}${index + 1}`.repeat(9)),
        )
        assert.throws(() => stream.append(bytesOf("more")), /has ended/)
      }
      log.sweep(0)
      await flushed(log)
      assert.match(log.trouble ?? "", /no space left/)
      files.mended = true
      log.sweep(0)
      await flushed(log)
      assert.equal(log.trouble, undefined)
      const next = log.create(factsOf("next"))
      next.append(bytesOf("works"))
      await flushed(log)
      assert.deepEqual(readAll(next), ["works"])
      const again = reopen(folder)
      for (const [id, events] of seen) {
        assert.deepEqual(readAll(again.get(id)!), events)
        assert.equal(again.get(id)!.visibleEnding, "failed")
      }
      await log.close()
      await again.close()
    }
  })
}

test("power: at 500 moments of power loss, all that a reader was shown is a prefix of what is left", async () => {
  /** What the disk is sure to have of each file. */
  const synced = new Map<number, number>()
  const length = new Map<number, number>()
  const names = new Map<number, string>()
  const files: Files = {
    ...realFiles,
    async openLater(path) {
      const file = await realFiles.openLater(path)
      names.set(file, path.split("/").at(-1)!)
      return file
    },
    async writeLater(file, bytes, position) {
      await realFiles.writeLater(file, bytes, position)
      length.set(file, Math.max(length.get(file) ?? 0, position + bytes.length))
    },
    async sync(file) {
      const sure = length.get(file) ?? 0
      await realFiles.sync(file)
      synced.set(file, sure)
    },
  }
  const folder = newFolder()
  const log = open(folder, { files, level: "power", segmentBytes: 20_000 })
  const next = pseudoRandom(7)
  // Of its own: how much is torn depends on how far the disk has come, and what is appended must not.
  const tear = pseudoRandom(7)
  const streams = Array.from({ length: 25 }, (_, number) => log.create(factsOf(`s${number}`)))
  let cuts = 0
  const lossy = newFolder()
  for (let turn = 0; cuts < 500; turn++) {
    for (const stream of streams) {
      for (let count = next(3); count > 0 && stream.ending === undefined; count--) {
        stream.append(bytesOf(`${stream.facts.id} ${stream.head + 1} ${"p".repeat(next(60))}`))
        if (next(200) === 0) stream.end("finished")
      }
    }
    // Every so often the turn goes on without waiting: several batches are under way at a cut.
    if (next(3) === 0) await flushed(log)
    else log.flush(() => {})
    if (next(2) === 0) await new Promise(setImmediate)
    cut(turn)
    cuts++
  }
  await flushed(log)
  const shown = streams.reduce((sum, stream) => sum + stream.visible, 0)
  assert.ok(shown > 5_000, `${shown} events were shown`)
  await log.close()

  function cut(turn: number): void {
    fs.rmSync(lossy, { recursive: true, force: true })
    fs.mkdirSync(join(lossy, "streams"), { recursive: true })
    for (const [file, name] of names) {
      const sure = synced.get(file) ?? 0
      const bytes = fs.readFileSync(join(folder, "streams", name))
      // Of what was not synced anything may have arrived: nothing, a part, or zeros in its place.
      const rest = bytes.subarray(sure, sure + (turn % 3 === 0 ? 0 : tear(bytes.length - sure + 1)))
      if (turn % 3 === 2) rest.fill(0)
      fs.writeFileSync(join(lossy, "streams", name), Buffer.concat([bytes.subarray(0, sure), rest]))
    }
    const again = reopen(lossy)
    for (const stream of streams) {
      if (stream.visible === 0) continue
      const left = again.get(stream.facts.id)
      assert.ok(left !== undefined && left.visible >= stream.visible, `cut ${turn} of ${stream.facts.id}`)
      assert.deepEqual(readAll(left).slice(0, stream.visible), readAll(stream))
      if (stream.visibleEnding !== undefined) assert.equal(left.visibleEnding, stream.visibleEnding)
    }
    void again.close()
  }
})
