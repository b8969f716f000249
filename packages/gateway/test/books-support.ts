/** What tests of the books ask of a test gateway: keys by the admin API, what they have spent, and the ledger's rows. */
import { setTimeout as sleep } from "node:timers/promises"
import type { AdminCall, AdminKeyCreate, AdminKeyWithSecret, AdminSpend } from "@sluice/protocol"
import { ADMIN_KEY, call, type TestGateway } from "./support.ts"

/** Far beyond what anything here takes, also on a busy machine. */
const DEADLINE = 60_000

export async function admin<Body>(
  { url }: Pick<TestGateway, "url">,
  path: string,
  body?: unknown,
): Promise<Body> {
  const answer = await call(`${url}/admin${path}`, {
    key: ADMIN_KEY,
    ...(body === undefined ? {} : { body }),
  })
  const { text } = await answer.whole()
  if (answer.status > 299) throw new Error(`/admin${path} answers ${answer.status}: ${text}`)
  return JSON.parse(text) as Body
}

export async function createKey(
  gateway: Pick<TestGateway, "url">,
  settings: Partial<AdminKeyCreate> = {},
): Promise<{ id: string; secret: string }> {
  const made = await admin<AdminKeyWithSecret>(gateway, "/keys", { name: "test", ...settings })
  return { id: made.key.id, secret: made.secret }
}

export async function spendOf(gateway: Pick<TestGateway, "url">, id: string): Promise<AdminSpend> {
  return (await admin<{ spend: AdminSpend }>(gateway, `/keys/${id}`)).spend
}

/** All rows, newest first. */
export async function rowsOf(gateway: Pick<TestGateway, "url">): Promise<AdminCall[]> {
  return (await admin<{ data: AdminCall[] }>(gateway, "/calls?limit=200")).data
}

/** Resolves when nothing is held and nothing runs any more. */
export async function released(gateway: Pick<TestGateway, "url">, id: string): Promise<AdminSpend> {
  let spend = await spendOf(gateway, id)
  await until(async () => {
    spend = await spendOf(gateway, id)
    return Number(spend.held_usd) === 0 && spend.running === 0
  })
  return spend
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come about: ${holds}`)
    await sleep(20)
  }
}
