/**
 * One kill: 50 streams run, the gateway is killed with SIGKILL at a random moment and started again on the same data
 * folder. Then, for every stream of which a client has seen as much as the id: what it saw is a prefix of the replay,
 * byte for byte; the replay ends with a finish and `[DONE]`, or with the one error event `interrupted`; resumed from
 * the last event seen it gives the rest; its state says the same; its idempotency key joins it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { type Child, start } from "../children.ts"
import { ask, type Seen, startStream } from "./streams.ts"

export const KEY = "sk-bench-kills"
const STREAMS = 50
const SLUICE = fileURLToPath(new URL("../../packages/cli/bin/sluice", import.meta.url))
const MOUNTS = ["/v1", "/openrouter/api/v1", "/r9s/v1", "/atoma/v1", "/orq/v2/router", "/orq/v2/proxy"]

export interface RunningGateway {
  readonly child: Child
  readonly url: string
  /** Milliseconds from the start of the process until it said that it listens and /readyz agreed. */
  readonly readyAfter: number
}

export interface KillResult {
  readonly gateway: RunningGateway
  readonly streams: number
  readonly interrupted: number
  readonly finished: number
  readonly failures: readonly string[]
}

export async function startGateway(folder: string, data = `${folder}/data`): Promise<RunningGateway> {
  const begun = performance.now()
  const child = await start([SLUICE, "serve", "--port", "0", "--config", `${folder}/sluice.yaml`], {
    environment: { SLUICE_API_KEY: KEY, SLUICE_DATA: data },
  })
  const url = (await child.said(/^sluice listening on (http:\S+)$/m))[1]!
  const { status } = await ask(`${url}/readyz`, KEY)
  if (status !== 200) throw new Error(`/readyz said ${status}`)
  return { child, url, readyAfter: performance.now() - begun }
}

/** `number` decides everything that is random in it but the machine's own time. */
export async function kill(gateway: RunningGateway, folder: string, number: number): Promise<KillResult> {
  const next = randomNumbers(number)
  const streams = Array.from({ length: STREAMS }, (_, index) => {
    const tokens = 1 + next(150)
    const model = `sim/kill${next(1_000)}:tokens=${tokens},gap=${next(12)},ttft=${next(60)}`
    const body = JSON.stringify({
      model,
      messages: [{ role: "user", content: "Go on." }],
      stream: true,
      ...(next(2) === 0 ? { stream_options: { include_usage: true } } : {}),
    })
    const mount = MOUNTS[index % MOUNTS.length]!
    return startStream(gateway.url, KEY, { mount, body, idempotencyKey: `${number}-${index}` })
  })
  await momentOf(streams, next)
  gateway.child.signal("SIGKILL")
  await gateway.child.ended
  await Promise.all(streams.map(({ over }) => over))

  const again = await startGateway(folder)
  const known = streams.map(({ seen }) => seen).filter(({ id }) => id !== "")
  const states = await Promise.all(known.map((seen) => check(again.url, seen)))
  const failures = states.flatMap(({ failure }, index) =>
    failure === undefined ? [] : [`kill ${number}, ${known[index]!.mount} ${known[index]!.id}: ${failure}`],
  )
  return {
    gateway: again,
    streams: known.length,
    interrupted: states.filter(({ state }) => state === "interrupted").length,
    finished: states.filter(({ state }) => state === "finished").length,
    failures,
  }
}

/** When so many streams are over and a little later: from before the first event to after most of the last ones. */
async function momentOf(
  streams: readonly { readonly over: Promise<void> }[],
  next: (below: number) => number,
): Promise<void> {
  const enough = next(STREAMS)
  const later = next(60)
  let over = 0
  await new Promise<void>((resolve) => {
    if (enough === 0) return resolve()
    for (const stream of streams)
      void stream.over.then(() => {
        if (++over === enough) resolve()
      })
  })
  await sleep(later)
}

async function check(url: string, seen: Seen): Promise<{ state?: string; failure?: string }> {
  const base = `${url}${seen.mount}/chat/completions`
  try {
    const replay = await ask(`${base}/${seen.id}?stream=true`, KEY)
    if (replay.status !== 200) return { failure: `the replay answers ${replay.status}: ${replay.text}` }
    if (!replay.text.startsWith(seen.text)) {
      const at = [...seen.text].findIndex((character, index) => character !== replay.text[index])
      return {
        failure: `what was seen is no prefix, from character ${at}: ${JSON.stringify(seen.text.slice(at, at + 80))} and ${JSON.stringify(replay.text.slice(at, at + 80))}`,
      }
    }
    const frames = framesOf(replay.text)
    const state = endingOf(seen.mount, frames, replay)
    if (state === undefined) return { failure: `no ending: ${replay.text.slice(-200)}` }
    if (seen.complete && seen.text !== "" && state !== "finished")
      return { failure: `it had ended well before the kill and is ${state} after it` }

    const events = frames.filter(({ id }) => id > 0)
    const last = framesOf(seen.text).reduce((most, { id }) => Math.max(most, id), 0)
    const rest = await ask(`${base}/${seen.id}`, KEY, { headers: { "last-event-id": String(last) } })
    const missing = events.filter(({ id }) => id > last).map(({ frame }) => frame)
    if (
      framesOf(rest.text)
        .flatMap(({ id, frame }) => (id > 0 ? [frame] : []))
        .join("") !== missing.join("")
    )
      return { failure: `resumed after event ${last} it does not give the rest` }

    const whole = JSON.parse((await ask(`${base}/${seen.id}`, KEY)).text) as {
      sluice: { state: string; last_event_id: number }
    }
    if (whole.sluice.state !== state)
      return { failure: `the replay is ${state}, the state ${whole.sluice.state}` }
    if (whole.sluice.last_event_id !== events.at(-1)?.id)
      return { failure: "the last event's number differs" }

    const joined = await ask(base, KEY, {
      body: seen.body,
      headers: { "idempotency-key": seen.idempotencyKey },
    })
    if (joined.headers["sluice-stream-id"] !== seen.id || joined.headers["sluice-replayed"] !== "true")
      return { failure: `its idempotency key gives ${joined.status}, ${joined.headers["sluice-stream-id"]}` }
    if (joined.text !== replay.text) return { failure: "its idempotency key gives another text" }
    return { state }
  } catch (error) {
    return { failure: String(error) }
  }
}

interface Frame {
  /** 0: it has none. */
  readonly id: number
  readonly frame: string
}

function framesOf(text: string): Frame[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .map((frame) => ({ id: Number(/^id: (\d+)$/m.exec(frame)?.[1] ?? 0), frame }))
}

/** How the replay says that the stream ended; undefined where it says nothing, or two things. */
function endingOf(
  mount: string,
  frames: readonly Frame[],
  replay: { readonly complete: boolean },
): "finished" | "interrupted" | undefined {
  const errors = frames.filter(({ frame }) => frame.includes('"error_type":"interrupted"'))
  const done = frames.at(-1)?.frame.endsWith("data: [DONE]") === true
  const finish = frames.some(({ frame }) => /"finish_reason":"(stop|length)"/.test(frame))
  if (errors.length === 0) {
    const whole = mount === "/orq/v2/proxy" ? replay.complete : done && replay.complete
    return finish && whole ? "finished" : undefined
  }
  if (errors.length > 1 || done || frames.at(-1) !== errors[0]) return undefined
  // Clients that drop the event must see a torn transfer.
  const readsErrors = mount === "/v1" || mount === "/openrouter/api/v1"
  return replay.complete === readsErrors ? "interrupted" : undefined
}

/** Whole numbers below a bound, the same ones for the same seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = ((seed * 2_654_435_761) % 2_147_483_646) + 1
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}
