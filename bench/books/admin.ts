/** As much of the admin API as the benches of the books ask. */
import { ask } from "./play.ts"

export interface Admin {
  createKey(more: object): Promise<{ readonly id: string; readonly secret: string }>
  spend(key: string): Promise<{
    readonly held_usd: string
    readonly running: number
    readonly total_usd: string
  }>
  /** All rows of the ledger. */
  calls<Row>(): Promise<Row[]>
  get<Body>(path: string): Promise<Body>
}

export function createAdmin(url: () => Promise<string>, adminKey: string): Admin {
  async function text(path: string, body?: object): Promise<string> {
    const answer = await ask((await url()) + path, adminKey, body === undefined ? {} : { body })
    if (answer.status < 200 || answer.status > 299 || !answer.complete)
      throw new Error(`${path} answers ${answer.status}: ${answer.text.slice(0, 300)}`)
    return answer.text
  }
  const get = async <Body>(path: string): Promise<Body> => JSON.parse(await text(path)) as Body

  return {
    get,
    async createKey(more) {
      const made = JSON.parse(await text("/admin/keys", { name: "bench", ...more })) as {
        key: { id: string }
        secret: string
      }
      return { id: made.key.id, secret: made.secret }
    },
    async spend(key) {
      return (await get<{ spend: Awaited<ReturnType<Admin["spend"]>> }>(`/admin/keys/${key}`)).spend
    },
    async calls<Row>() {
      const lines = (await text("/admin/calls.jsonl")).split("\n")
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Row)
    },
  }
}
