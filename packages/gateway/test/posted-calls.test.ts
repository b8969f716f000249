/** Calls of keys that nothing limits, which the books learn of a moment later. */
import assert from "node:assert/strict"
import { once } from "node:events"
import http from "node:http"
import { test } from "node:test"
import { createKey, rowsOf } from "./books-support.ts"
import { ADMIN_KEY, call, startTestGateway, streamBody, type TestGateway } from "./support.ts"

/** Sends the headers and half of the body; `change` happens; then the rest is sent. */
async function slowly(url: string, secret: string, change: () => Promise<unknown>): Promise<number> {
  const body = JSON.stringify(streamBody("sim/story:tokens=2"))
  const request = http.request(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secret}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    },
  })
  request.write(body.slice(0, 10))
  // The gateway has taken the headers when it has answered somebody who came later.
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await call(`${url}/healthz`, { method: "GET" })).status, 200)
  await change()
  request.end(body.slice(10))
  const [answer] = (await once(request, "response")) as [http.IncomingMessage]
  answer.resume()
  await once(answer, "end")
  return answer.statusCode ?? 0
}

async function administer({ url }: TestGateway, method: string, id: string, body?: unknown): Promise<void> {
  const answer = await call(`${url}/admin/keys/${id}`, {
    method,
    key: ADMIN_KEY,
    ...(body === undefined ? {} : { body }),
  })
  await answer.whole()
  assert.ok(answer.status < 300, `${method} answers ${answer.status}`)
}

test("what a key may do is what it may do when its call is whole, not when its headers came", async () => {
  const gateway = await startTestGateway()
  try {
    const changes: [status: number, change: (id: string) => Promise<unknown>][] = [
      [200, async () => {}],
      [401, (id) => administer(gateway, "PATCH", id, { disabled: true })],
      [401, (id) => administer(gateway, "DELETE", id)],
    ]
    for (const [status, change] of changes) {
      const { id, secret } = await createKey(gateway)
      assert.equal(await slowly(gateway.url, secret, () => change(id)), status, String(change))
    }
    assert.equal((await rowsOf(gateway)).length, 1)
  } finally {
    await gateway.close()
  }
})
