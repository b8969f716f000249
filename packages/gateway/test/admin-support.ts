/** The admin API and OpenRouter's accounting on a server of their own, over a real store. */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { dialects } from "@sluice/protocol/dialects"
import { testPostgres } from "../../../scripts/postgres.ts"
import { handleAdmin } from "../src/admin/handle.ts"
import { openRouterAccounting } from "../src/admin/openrouter.ts"
import type { AdminPart } from "../src/admin/part.ts"
import type { Keys } from "../src/auth/keys.ts"
import { openKeys } from "../src/auth/stored-keys.ts"
import type { AuthedCall, Mount } from "../src/call.ts"
import { GatewayError, toWireError } from "../src/gateway-error.ts"
import { sendError } from "../src/http/answer.ts"
import { openStore } from "../src/store/open.ts"
import type { Store } from "../src/store/store.ts"

export const ADMIN_SECRET = "sk-test-admin"
export const USER_SECRET = "sk-test-user"

export const DATABASES = ["sqlite", "postgres"] as const
export type DatabaseKind = (typeof DATABASES)[number]

export interface TestAdmin {
  readonly url: string
  readonly store: Store
  readonly keys: Keys
  /** What the gateway did not mean to say to anybody. */
  readonly faults: unknown[]
  ask(method: string, path: string, asked?: Asked): Promise<Answer>
}

export interface Asked {
  /** Null: none. */
  readonly secret?: string | null
  readonly body?: unknown
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not there
type Body = any

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined where the text is not JSON. */
  readonly body: Body
}

export interface TestDatabase {
  readonly folder: string
  open(): Promise<Store>
}

/** An empty database that several stores can open; all are closed at the test's end. */
export async function testDatabase(t: TestContext, kind: DatabaseKind): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-admin-"))
  const databaseUrl = kind === "postgres" ? await (await testPostgres()).createDatabase() : undefined
  const stores: Store[] = []
  t.after(async () => {
    await Promise.all(stores.map((store) => store.close()))
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    async open() {
      const store = await openStore({ dataFolder: folder, databaseUrl })
      stores.push(store)
      return store
    },
  }
}

export async function startTestAdmin(
  t: TestContext,
  kind: DatabaseKind = "sqlite",
  more: Partial<Pick<AdminPart, "readEvents" | "now">> = {},
): Promise<TestAdmin> {
  const store = await (await testDatabase(t, kind)).open()
  const keys = await openKeys(store, { log: () => {} })
  keys.add({ id: "env", admin: false }, USER_SECRET)
  keys.add({ id: "admin", admin: true }, ADMIN_SECRET)
  const part: AdminPart = { store, keys, readEvents: async () => undefined, now: Date.now, ...more }
  const faults: unknown[] = []

  const server = createServer(async (request, response) => {
    const [path = "", search = ""] = (request.url ?? "").split("?", 2)
    const mount = path.startsWith(OPENROUTER.prefix) ? OPENROUTER : OPENAI
    const dialect = dialects[mount.dialect]
    try {
      const call: AuthedCall = {
        requestId: "req_test",
        request,
        response,
        path,
        query: new URLSearchParams(search),
        mount,
        dialect,
        dialectRule: "mount",
        receivedAt: Date.now(),
        key: keys.authenticate(request.headers),
      }
      const answered = path.startsWith("/admin/")
        ? handleAdmin(call, part)
        : openRouterAccounting(call, part, path.slice(mount.prefix.length))
      if (answered === undefined) throw new GatewayError("not_found", "no such path")
      await answered
    } catch (error) {
      if (!(error instanceof GatewayError)) faults.push(error)
      sendError(response, dialect, toWireError(error))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.after(() => {
    keys.close()
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`

  return {
    url,
    store,
    keys,
    faults,
    async ask(method, path, { secret = ADMIN_SECRET, body } = {}) {
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, body: parse(text) }
    },
  }
}

const OPENAI: Mount = { prefix: "/v1", dialect: "openai", listens: true, sendsDone: true }
const OPENROUTER: Mount = {
  prefix: "/openrouter/api/v1",
  dialect: "openrouter",
  listens: false,
  sendsDone: true,
}

function parse(text: string): Body {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
