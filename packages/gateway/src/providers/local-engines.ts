/** Engines on this machine: asked, once and not for long, whether they are there and what they have. */
import { isObject } from "@sluice/protocol"
import { type Dispatcher, request } from "undici"
import { KNOWN_PROVIDERS } from "./known-providers.ts"

export interface LocalEngine {
  /** That of a known provider. */
  readonly name: string
  readonly baseUrl: string
}

export interface FoundEngine extends LocalEngine {
  readonly models: readonly string[]
}

export const LOCAL_ENGINES: readonly LocalEngine[] = KNOWN_PROVIDERS.flatMap(({ local, name, baseUrl }) =>
  local === true && baseUrl !== undefined ? [{ name, baseUrl }] : [],
)

/** Milliseconds for the whole answer. */
const PATIENCE = 300
const LARGEST_LIST = 1 << 20

/** `ownPort`: where we listen ourselves. We would find ourselves there, and hand each call to ourselves. */
export async function findEngines(
  engines: readonly LocalEngine[],
  ownPort: number,
  agent: Dispatcher,
): Promise<FoundEngine[]> {
  const others = engines.filter(({ baseUrl }) => Number(new URL(baseUrl).port) !== ownPort)
  const found = await Promise.all(
    others.map(async (engine) => {
      const models = await listModels(engine, agent).catch(() => undefined)
      return models === undefined ? [] : [{ ...engine, models }]
    }),
  )
  return found.flat()
}

/** Undefined: whoever answers there is no such engine, or wants a key. */
async function listModels({ baseUrl }: LocalEngine, agent: Dispatcher): Promise<string[] | undefined> {
  const signal = AbortSignal.timeout(PATIENCE)
  const { statusCode, body } = await request(`${baseUrl}/models`, { dispatcher: agent, signal })
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > LARGEST_LIST) return undefined
    pieces.push(piece)
  }
  return statusCode === 200 ? readList(JSON.parse(Buffer.concat(pieces).toString("utf8"))) : undefined
}

function readList(list: unknown): string[] | undefined {
  if (!isObject(list)) return undefined
  // Ollama without a model.
  const data = list["data"] === null && list["object"] === "list" ? [] : list["data"]
  if (!Array.isArray(data) || !data.every((model) => isObject(model) && typeof model["id"] === "string"))
    return undefined
  // They are shown in a terminal.
  return data.map((model) => String(model.id)).filter((id) => /^[\x21-\x7e]{1,256}$/.test(id))
}
