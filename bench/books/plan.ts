/**
 * What the calls of a run will be: each with a fate drawn from the seed, a model that is its alone (so that its row and
 * its lines in the simulator's journal find each other), and prices whose products are no whole nano-dollars.
 */

export const FATES = [
  "read to its end",
  "not streamed",
  "not streamed, left",
  "cut by its client",
  "cut by its provider",
  "failing after an event",
  "stalling",
  "answered by the next candidate",
  "refused by its provider",
  "cancelled",
  "detached",
  "resumed",
  "asked three times with one key",
  "without usage",
] as const
export type Fate = (typeof FATES)[number]

export interface PlannedCall {
  readonly fate: Fate
  /** As it is asked for; no other call asks for it. */
  readonly model: string
  readonly candidates: readonly Candidate[]
  readonly mount: string
  readonly streamed: boolean
  readonly prompt: string
  readonly onDisconnect: string
  /** Bytes of the answer after which the client does something. */
  readonly moment: number
}

export interface Candidate {
  /** Its name at the simulator. */
  readonly model: string
  /** Micro-dollars per million tokens: as many pico-dollars a token. */
  readonly input: number
  readonly output: number
}

const MOUNTS = ["/v1", "/openrouter/api/v1", "/r9s/v1", "/atoma/v1", "/orq/v2/router", "/orq/v2/proxy"]
const LEAVING = ["cancel", "drain:1", "detach"]

export function planCalls(count: number, seed: number): PlannedCall[] {
  const next = randomNumbers(seed)
  return Array.from({ length: count }, (_, number) => planCall(number, next))
}

function planCall(number: number, next: (below: number) => number): PlannedCall {
  const fate = FATES[next(FATES.length)]!
  const tokens = 1 + next(60)
  const pace = `tokens=${tokens},gap=${next(6)},ttft=${next(20)}${next(4) === 0 ? `,reasoning=${next(9)}` : ""}`
  const scripts = scriptsOf(fate, pace, next(tokens + 3), next)
  return {
    fate,
    model: `call-${number}`,
    candidates: scripts.map((script, at) => ({
      model: `sim/books-${number}-${at}:${script}`,
      input: 100_000 + next(900_000),
      output: 100_000 + next(9_900_000),
    })),
    mount: MOUNTS[next(MOUNTS.length)]!,
    streamed:
      !fate.startsWith("not streamed") && (fate !== "asked three times with one key" || next(2) === 0),
    prompt: "Tell me ".repeat(1 + next(40)),
    onDisconnect: fate === "resumed" ? "drain:60" : LEAVING[next(LEAVING.length)]!,
    moment: next(2_000 + tokens * 100),
  }
}

function scriptsOf(fate: Fate, pace: string, event: number, next: (below: number) => number): string[] {
  switch (fate) {
    case "cut by its provider":
      return [`${pace},cut=${event}`]
    case "failing after an event":
      return [`${pace},error_at=${event}`]
    case "stalling":
      return [`${pace},stall=${event}`]
    case "refused by its provider":
      return [`${pace},error=${[429, 500, 503, 400, 401][next(5)]}`]
    case "answered by the next candidate":
      return [`${pace},${["error=429", "error=500", "cut=1", "error_at=0"][next(4)]}`, pace]
    case "without usage":
      return [`${pace},usage=none`]
    default:
      return [pace]
  }
}

/** The gateway's configuration for them. */
export function configFor(calls: readonly PlannedCall[], simulator: string): string {
  const routes = calls.map(({ model, candidates }) => {
    const listed = candidates.map((one) => `{ provider: far, model: "${one.model}" }`)
    return `  ${model}: { candidates: [${listed.join(", ")}] }`
  })
  const prices = calls.flatMap(({ candidates }) =>
    candidates.map(
      ({ model, input, output }) => `  "far/${model}": { input: ${usd(input)}, output: ${usd(output)} }`,
    ),
  )
  return `providers:
  far: { kind: openai-compatible, base_url: "${simulator}/v1", credential: none }
defaults: { retries: 0, timers: { first_content: 3s, idle: 1s, total: 20s } }
streams: { keep: 6h }
server: { drain: 200ms }
models:
${routes.join("\n")}
prices:
${prices.join("\n")}
`
}

function usd(micro: number): string {
  return `"${Math.floor(micro / 1e6)}.${String(micro % 1e6).padStart(6, "0")}"`
}

/** Whole numbers below a bound, the same ones for the same seed. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = ((seed * 2_654_435_761) % 2_147_483_646) + 1
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}
