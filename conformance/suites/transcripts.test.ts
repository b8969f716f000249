/**
 * What other servers were heard to say, said again by a provider whose bytes come in random pieces: through every kind
 * of provider that it fits, to every client and through every door, what arrives is the recording, streamed and whole.
 */
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { objectOr } from "@sluice/protocol"
import { validators } from "../../packages/protocol/test/validators.ts"
import { atOnce } from "../at-once.ts"
import { type Ask, type Caller, describeError, type Mode } from "../caller.ts"
import { CALLERS } from "../callers/all.ts"
import { playWhole, randomFor, SEED_SAID, streamOf } from "../cuts.ts"
import { DOORS, type Door } from "../doors.ts"
import { judge, rowsOf } from "../judge.ts"
import { dataLines, rawCall } from "../raw-call.ts"
import { NOTHING_BEHIND, startTarget, type Target } from "../support.ts"
import {
  ownTranscripts,
  RECORDED_ABSENT,
  readRecording,
  readWhole,
  recordedTranscripts,
  type Transcript,
  toolsOf,
  wholeOf,
} from "../transcripts.ts"

const AT_ONCE = 8
const LIMIT = { timeout: 120_000 }
const MODES = ["streamed", "whole"] as const

const RECORDED = recordedTranscripts()
const TRANSCRIPTS = [...ownTranscripts(), ...RECORDED]

let target: Target
before(async () => {
  target = await startTarget()
})
after(() => target?.stop())

test("the recordings are read, and every part of an answer is in one of them", (t) => {
  t.diagnostic(SEED_SAID)
  if (RECORDED.length === 0) t.diagnostic(RECORDED_ABSENT)
  const recordings = TRANSCRIPTS.map(({ recording }) => recording)
  assert.ok(recordings.every(({ text, toolCalls }) => text !== "" || toolCalls.length > 0))
  assert.ok(recordings.every(({ finishReason, usage }) => finishReason && usage && usage.total > 0))
  assert.ok(recordings.some(({ text }) => /[^\p{ASCII}]/u.test(text)))
  assert.ok(recordings.some(({ toolCalls }) => toolCalls.length > 1))
  assert.ok(recordings.some(({ reasoning }) => reasoning !== ""))
  assert.ok(recordings.some(({ finishReason }) => finishReason === "length"))
  assert.ok(recordings.some(({ usage }) => usage && usage.total > usage.prompt + usage.completion))
  assert.ok(recordings.some(({ usage }) => usage && usage.cached > 0))
})

for (const caller of CALLERS) {
  for (const mode of MODES) {
    test(`${caller.name}: what it hands out is the recording, ${mode}`, LIMIT, async (t) => {
      if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
      const judgements = await atOnce(AT_ONCE, TRANSCRIPTS, (transcript) => heardBy(caller, mode, transcript))
      assert.deepEqual(
        judgements.flatMap(({ faults }) => faults),
        [],
        SEED_SAID,
      )
      const lost = new Set(judgements.flatMap((judgement) => judgement.lost))
      for (const row of rowsOf(caller, mode)) {
        t.diagnostic(`absent in ${caller.name}: ${row.ability}, ${mode}: ${row.why}`)
        assert.ok(lost.has(row), `it turns out to have ${row.ability}: its row must go`)
      }
    })
  }
}

for (const door of DOORS) {
  for (const mode of MODES) {
    test(
      `${door.name}: the bytes say what the recording says, to every build there, ${mode}`,
      LIMIT,
      async (t) => {
        if (!target.behind) return t.diagnostic(NOTHING_BEHIND)
        const faults = await atOnce(AT_ONCE, TRANSCRIPTS, async (transcript) => {
          const said = mode === "streamed" ? streamedAt(door, transcript) : wholeAt(door, transcript)
          return (await said).map((fault) => `${transcript.name}: ${fault}`)
        })
        assert.deepEqual(faults.flat(), [], SEED_SAID)
      },
    )
  }
}

async function heardBy(caller: Caller, mode: Mode, transcript: Transcript) {
  const { recording, name } = transcript
  const ask: Ask = {
    model: saying(transcript, mode, caller.name),
    prompt: "When is high water?",
    tools: toolsOf(recording),
    usage: true,
  }
  const answer = await caller[mode === "streamed" ? "stream" : "complete"](target, ask)
  if (answer.error !== undefined) {
    return { faults: [`${name}: it failed with ${describeError(answer.error)}`], lost: [] }
  }
  const { faults, lost } = judge(caller, mode, answer, recording)
  return { faults: faults.map((fault) => `${name}: ${fault}`), lost }
}

async function streamedAt(door: Door, transcript: Transcript): Promise<string[]> {
  const model = saying(transcript, "streamed", door.name)
  const answer = await rawCall(target, door.path, bodyOf(model, true), door.headers)
  assert.equal(answer.status, 200, answer.text)
  assert.ok(answer.complete, transcript.name)
  assert.equal(/^data: \[DONE\]$/m.test(answer.text), door.sendsDone)
  const lines = dataLines(answer.text)
  assert.deepEqual(readRecording(lines), transcript.recording, `${transcript.name}, ${SEED_SAID}`)
  const chunks = lines.map((line): unknown => JSON.parse(line))
  return chunks.flatMap((chunk) => door.builds.flatMap((build) => validators[build].chunk(chunk) ?? []))
}

async function wholeAt(door: Door, transcript: Transcript): Promise<string[]> {
  const model = saying(transcript, "whole", door.name)
  const { status, text } = await rawCall(target, door.path, bodyOf(model, false), door.headers)
  assert.equal(status, 200, text)
  const completion = objectOr(JSON.parse(text))
  assert.deepEqual(readWhole(completion), transcript.recording, `${transcript.name}, ${SEED_SAID}`)
  return door.builds.flatMap((build) => validators[build].completion(completion) ?? [])
}

/** The name of a model that says this transcript, in pieces that nobody else is given. */
function saying(transcript: Transcript, mode: Mode, listener: string): string {
  const { name, kind, lines } = transcript
  const model = [name, mode, listener].join("-").replace(/[^\w.-]+/g, "-")
  const random = randomFor(model)
  target.behind?.raw.plays(
    model,
    mode === "streamed"
      ? playWhole("text/event-stream", streamOf(lines, random), random)
      : playWhole("application/json", Buffer.from(JSON.stringify(wholeOf(transcript))), random),
  )
  return `raw-${kind}/${model}`
}

function bodyOf(model: string, stream: boolean) {
  return {
    model,
    messages: [{ role: "user", content: "When is high water?" }],
    stream,
    ...(stream && { stream_options: { include_usage: true } }),
  }
}
