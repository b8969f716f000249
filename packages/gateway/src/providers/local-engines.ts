/** Engines on this machine: asked, once and not for long, whether they are there and what they have. */
import { isObject } from "@sluice/protocol"
import { type HttpPool, originOf } from "./http/pool.ts"
import { headOf } from "./http/request.ts"
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
  pool: HttpPool,
): Promise<FoundEngine[]> {
  const others = engines.filter(({ baseUrl }) => Number(new URL(baseUrl).port) !== ownPort)
  const found = await Promise.all(
    others.map(async (engine) => {
      const models = await listModels(engine, pool).catch(() => undefined)
      return models === undefined ? [] : [{ ...engine, models }]
    }),
  )
  return found.flat()
}

/** Undefined: whoever answers there is no such engine, or wants a key. */
async function listModels({ baseUrl }: LocalEngine, pool: HttpPool): Promise<string[] | undefined> {
  const text = await getText(new URL(`${baseUrl}/models`), pool)
  return text === undefined ? undefined : readList(JSON.parse(text))
}

/** The body of an answer that says 200, in time and not too large. */
function getText(url: URL, pool: HttpPool): Promise<string | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let status = 0
    let size = 0
    const origin = originOf(url)
    const head = headOf("GET", origin.authority, `${url.pathname}${url.search}`, {
      accept: "application/json",
    })
    const exchange = pool.send(
      origin,
      { head },
      {
        connected() {},
        head(said) {
          status = said
        },
        body(bytes, start, end) {
          size += end - start
          if (size <= LARGEST_LIST) pieces.push(Buffer.from(bytes.subarray(start, end)))
          else giveUp()
        },
        end: () => done(status === 200 ? Buffer.concat(pieces).toString("utf8") : undefined),
        failed: () => done(undefined),
      },
    )
    const timer = setTimeout(giveUp, PATIENCE)
    function giveUp(): void {
      exchange.abort()
      done(undefined)
    }
    function done(text: string | undefined): void {
      clearTimeout(timer)
      resolve(text)
    }
  })
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
