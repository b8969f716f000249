/**
 * A provider's connection dies at a random byte of its answer. Whoever asked is told of it, and has a part of the
 * answer; or the answer was whole already, and is handed out as such. No client takes a part for the whole.
 */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { atOnce } from "../at-once.ts"
import { type Answer, type Caller, describeError } from "../caller.ts"
import { CALLERS } from "../callers/all.ts"
import { playUntil, type Random, randomFor, SEED_SAID, streamOf } from "../cuts.ts"
import { judge } from "../judge.ts"
import { NOTHING_BEHIND, startTarget, type Target } from "../support.ts"
import {
  ownTranscripts,
  RECORDED_ABSENT,
  recordedTranscripts,
  type Transcript,
  toolsOf,
  wholeOf,
} from "../transcripts.ts"

const AT_ONCE = 8
const LIMIT = { timeout: 120_000 }

const RECORDED = recordedTranscripts()
const TRANSCRIPTS = [...ownTranscripts(), ...RECORDED]

/** In the first events, so that nothing may have been shown yet; anywhere; and around the end. */
const WHERE = ["early", "anywhere", "late"] as const

let target: Target
before(async () => {
  target = await startTarget()
})
after(() => target?.stop())

test("the recordings are replayed until they die", (t) => {
  t.diagnostic(SEED_SAID)
  if (RECORDED.length === 0) t.diagnostic(RECORDED_ABSENT)
  assert.ok(TRANSCRIPTS.length > 0)
})

for (const caller of CALLERS) {
  test(`${caller.name}: no part of a stream is taken for the whole`, LIMIT, async (t) => {
    if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
    const deaths = TRANSCRIPTS.flatMap((transcript) => WHERE.map((where) => ({ transcript, where })))
    const outcomes = await atOnce(AT_ONCE, deaths, (death) => dieStreaming(caller, death))
    assert.deepEqual(
      outcomes.flatMap(({ faults }) => faults),
      [],
      SEED_SAID,
    )
    assert.ok(
      outcomes.some(({ failed }) => failed),
      "not one death was seen",
    )
  })

  test(`${caller.name}: no part of a whole answer is taken for it`, LIMIT, async (t) => {
    if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
    const faults = await atOnce(AT_ONCE, TRANSCRIPTS, (transcript) => dieWhole(caller, transcript))
    assert.deepEqual(faults.flat(), [], SEED_SAID)
  })
}

interface Outcome {
  readonly faults: readonly string[]
  readonly failed: boolean
}

interface StreamDeath {
  readonly transcript: Transcript
  readonly where: (typeof WHERE)[number]
}

async function dieStreaming(caller: Caller, { transcript, where }: StreamDeath): Promise<Outcome> {
  const { name, kind, lines, recording } = transcript
  const model = nameOf(name, where, caller.name)
  const random = randomFor(model)
  const body = streamOf(lines, random)
  const bytes = deathIn(body, lines, where, random)
  const { play, how } = playUntil(bytes, "text/event-stream", body, random)
  target.behind?.raw.plays(model, play)

  const answer = await caller.stream(target, askFor(`raw-${kind}/${model}`, transcript))
  const failed = answer.error !== undefined
  const finish = endOfFinish(body, lines)
  const faults = failed
    ? [
        // A reset takes with it what was not read yet; a close does not.
        ...(bytes >= finish.last && play.end === "fin"
          ? [`a whole answer failed: ${describeError(answer.error)}`]
          : []),
        ...partFaults(answer, transcript, caller),
      ]
    : bytes < finish.first
      ? ["a part was taken for the whole"]
      : // The answer was whole; its usage may still have been to come.
        judge(caller, "streamed", { ...answer, usage: answer.usage ?? recording.usage }, recording).faults
  return { faults: faults.map((fault) => `${name}, ${how}: ${fault}`), failed }
}

/** Any byte but the last: without it the JSON is none. */
async function dieWhole(caller: Caller, transcript: Transcript): Promise<string[]> {
  const { name, kind } = transcript
  const model = nameOf(name, "whole", caller.name)
  const random = randomFor(model)
  const body = Buffer.from(JSON.stringify(wholeOf(transcript)))
  const { play, how } = playUntil(random(body.length), "application/json", body, random)
  target.behind?.raw.plays(model, play)
  const answer = await caller.complete(target, askFor(`raw-${kind}/${model}`, transcript))
  return answer.error === undefined ? [`${name}, ${how}: a part was taken for the whole`] : []
}

function partFaults(answer: Answer, { recording }: Transcript, { parsesArguments }: Caller): string[] {
  const pairs: [name: string, got: string, whole: string | undefined][] = [
    ["text", answer.text, recording.text],
    ["reasoning", answer.reasoning, recording.reasoning],
  ]
  for (const [at, { id, arguments: text }] of answer.toolCalls.entries()) {
    const call = recording.toolCalls[at]
    pairs.push(["call's id", id, call?.id])
    if (!parsesArguments) pairs.push(["call's arguments", text, call?.arguments])
  }
  return pairs
    .filter(([, got, whole]) => whole?.startsWith(got) !== true)
    .map(([name, got]) => `no part of the recording is the ${name} ${JSON.stringify(got.slice(-80))}`)
}

function deathIn(
  body: Buffer,
  lines: readonly string[],
  where: StreamDeath["where"],
  random: Random,
): number {
  if (where === "early") return random(endOf(body, lines[Math.min(1, lines.length - 1)]!))
  if (where === "anywhere") return random(body.length)
  const from = endOf(body, lines[Math.max(0, lines.length - 3)]!)
  return from + random(body.length - from)
}

/** How many bytes there must be, at the least and at the most, for the event with the finish reason to be there. */
function endOfFinish(body: Buffer, lines: readonly string[]): { first: number; last: number } {
  const finish = lines.find((line) => /"finish_reason":"/.test(line))!
  const end = endOf(body, finish)
  return body[end] === CR ? { first: end + 3, last: end + 4 } : { first: end + 2, last: end + 2 }
}

const CR = 13

/** Where this event's data ends. */
function endOf(body: Buffer, line: string): number {
  return body.indexOf(`data: ${line}`) + Buffer.byteLength(`data: ${line}`)
}

function askFor(model: string, { recording }: Transcript) {
  return { model, prompt: "When is high water?", tools: toolsOf(recording), usage: true }
}

function nameOf(...words: readonly string[]): string {
  return words.join("-").replace(/[^\w.-]+/g, "-")
}
