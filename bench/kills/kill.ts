/**
 * One kill: 50 streams run, the gateway is killed with SIGKILL at a moment that their progress decides and started
 * again on the same data folder. Then, for every stream of which a client has seen as much as the id: what it saw is a
 * prefix of the replay, byte for byte; the replay ends with a finish and `[DONE]`, or with the one error event
 * `interrupted`; resumed from the last event seen it gives the rest; its state says the same; its idempotency key joins
 * it. And the books say of each call what its stream says: books.ts.
 */
import { fileURLToPath } from "node:url"
import { type Child, start } from "../children.ts"
import { checkBooks } from "./books.ts"
import { type Frame, framesOf, tokensIn } from "./frames.ts"
import { ask, type Seen, startStream } from "./streams.ts"

const KEY = "sk-bench-kills"
const ADMIN_KEY = "sk-bench-kills-admin"
const STREAMS = 50
const SLUICE = fileURLToPath(new URL("../../packages/cli/bin/sluice", import.meta.url))
const MOUNTS = ["/v1", "/openrouter/api/v1", "/r9s/v1", "/atoma/v1", "/orq/v2/router", "/orq/v2/proxy"]
/** One that nobody sees the end of: whenever the kill comes, it runs. */
const ENDLESS = "tokens=100000,gap=10,ttft=0"

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

/** What a stream turned out to be after the kill. */
export interface Found {
  readonly seen: Seen
  readonly state?: "finished" | "interrupted"
  /** Tokens that its log shows. */
  readonly tokens?: number
  readonly failure?: string
}

export async function startGateway(folder: string, databaseUrl: string | undefined): Promise<RunningGateway> {
  const begun = performance.now()
  const child = await start([SLUICE, "serve", "--port", "0", "--config", `${folder}/sluice.yaml`], {
    environment: {
      SLUICE_API_KEY: KEY,
      SLUICE_ADMIN_KEY: ADMIN_KEY,
      SLUICE_DATA: `${folder}/data`,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
  })
  const url = (await child.said(/^sluice listening on (http:\S+)$/m))[1]!
  const { status } = await ask(`${url}/readyz`, KEY)
  if (status !== 200) throw new Error(`/readyz said ${status}`)
  return { child, url, readyAfter: performance.now() - begun }
}

/** `number` decides everything that is random in it but the machine's own time. `again` starts the next gateway. */
export async function kill(
  gateway: RunningGateway,
  again: () => Promise<RunningGateway>,
  number: number,
): Promise<KillResult> {
  const next = randomNumbers(number)
  const since = new Date()
  const moment = momentOf(number, next)
  const streams = Array.from({ length: STREAMS }, (_, index) => {
    const size = index === 0 ? ENDLESS : `tokens=${1 + next(100)},gap=${next(6)},ttft=${next(40)}`
    const body = JSON.stringify({
      model: `sim/kill${next(1_000)}:${size}`,
      messages: [{ role: "user", content: "Go on." }],
      stream: true,
      ...(next(2) === 0 ? { stream_options: { include_usage: true } } : {}),
    })
    const mount = MOUNTS[(number + index) % MOUNTS.length]!
    const stream = startStream(gateway.url, KEY, {
      mount,
      body,
      idempotencyKey: `${number}-${index}`,
      came: () => moment.came(index),
    })
    void stream.over.then(moment.over)
    return stream
  })
  await moment.reached
  gateway.child.signal("SIGKILL")
  await gateway.child.ended
  await Promise.all(streams.map(({ over }) => over))

  const restarted = await again()
  const all = streams.map(({ seen }) => seen)
  const found = await Promise.all(all.filter(({ id }) => id !== "").map((seen) => check(restarted.url, seen)))
  const wrong = found.flatMap(({ seen, failure }) =>
    failure === undefined ? [] : [`${seen.mount} ${seen.id}: ${failure}`],
  )
  wrong.push(...(await checkBooks(restarted.url, ADMIN_KEY, { since, all, found })))
  return {
    gateway: restarted,
    streams: found.length,
    interrupted: found.filter(({ state }) => state === "interrupted").length,
    finished: found.filter(({ state }) => state === "finished").length,
    failures: wrong.map((failure) => `kill ${number}, ${failure}`),
  }
}

/**
 * When so many streams are over and so many pieces of the others have come since; by then the endless one has begun.
 * Each tenth time it is earlier: among the first pieces, and before all of them.
 */
function momentOf(
  number: number,
  next: (below: number) => number,
): { came(index: number): void; over(): void; readonly reached: Promise<void> } {
  const early = number % 10 === 0
  let over = early ? 0 : 1 + next(STREAMS - 1)
  let pieces = next(100)
  let begun = early
  const { promise: reached, resolve } = Promise.withResolvers<void>()
  const look = (): void => {
    if (over <= 0 && pieces <= 0 && begun) resolve()
  }
  look()
  return {
    reached,
    came(index) {
      if (over <= 0) pieces--
      if (index === 0) begun = true
      look()
    },
    over() {
      over--
      look()
    },
  }
}

async function check(url: string, seen: Seen): Promise<Found> {
  const base = `${url}${seen.mount}/chat/completions`
  try {
    const replay = await ask(`${base}/${seen.id}?stream=true`, KEY)
    if (replay.status !== 200) return { seen, failure: `the replay answers ${replay.status}: ${replay.text}` }
    if (!replay.text.startsWith(seen.text)) {
      const at = [...seen.text].findIndex((character, index) => character !== replay.text[index])
      return {
        seen,
        failure: `what was seen is no prefix, from character ${at}: ${JSON.stringify(seen.text.slice(at, at + 80))} and ${JSON.stringify(replay.text.slice(at, at + 80))}`,
      }
    }
    const frames = framesOf(replay.text)
    const state = endingOf(seen.mount, frames, replay)
    if (state === undefined) return { seen, failure: `no ending: ${replay.text.slice(-200)}` }
    if (seen.complete && seen.text !== "" && state !== "finished")
      return { seen, failure: `it had ended well before the kill and is ${state} after it` }

    const events = frames.filter(({ id }) => id > 0)
    const last = framesOf(seen.text).reduce((most, { id }) => Math.max(most, id), 0)
    const rest = await ask(`${base}/${seen.id}`, KEY, { headers: { "last-event-id": String(last) } })
    const missing = events.filter(({ id }) => id > last).map(({ frame }) => frame)
    if (
      framesOf(rest.text)
        .flatMap(({ id, frame }) => (id > 0 ? [frame] : []))
        .join("") !== missing.join("")
    )
      return { seen, failure: `resumed after event ${last} it does not give the rest` }

    const whole = JSON.parse((await ask(`${base}/${seen.id}`, KEY)).text) as {
      sluice: { state: string; last_event_id: number }
    }
    if (whole.sluice.state !== state)
      return { seen, failure: `the replay is ${state}, the state ${whole.sluice.state}` }
    if (whole.sluice.last_event_id !== events.at(-1)?.id)
      return { seen, failure: "the last event's number differs" }

    const joined = await ask(base, KEY, {
      body: seen.body,
      headers: { "idempotency-key": seen.idempotencyKey },
    })
    if (joined.headers["sluice-stream-id"] !== seen.id || joined.headers["sluice-replayed"] !== "true")
      return {
        seen,
        failure: `its idempotency key gives ${joined.status}, ${joined.headers["sluice-stream-id"]}`,
      }
    if (joined.text !== replay.text) return { seen, failure: "its idempotency key gives another text" }
    return { seen, state, tokens: tokensIn(frames) }
  } catch (error) {
    return { seen, failure: String(error) }
  }
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
