import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { readConnection } from "./connection.ts"
import { Misuse } from "./flags.ts"

const environment = { SLUICE_API_KEY: "sk-user", SLUICE_ADMIN_KEY: "sk-admin" }

test("an address may stand with or without /v1, and a mount as it is", () => {
  const cases: readonly (readonly [string, root: string, baseURL: string])[] = [
    ["http://127.0.0.1:4000", "http://127.0.0.1:4000", "http://127.0.0.1:4000/v1"],
    ["http://127.0.0.1:4000/v1/", "http://127.0.0.1:4000", "http://127.0.0.1:4000/v1"],
    ["https://example.org/sluice", "https://example.org/sluice", "https://example.org/sluice/v1"],
    ["https://example.org/sluice/v1", "https://example.org/sluice", "https://example.org/sluice/v1"],
    [
      "http://[::1]:4000/openrouter/api/v1",
      "http://[::1]:4000/openrouter/api",
      "http://[::1]:4000/openrouter/api/v1",
    ],
  ]
  for (const [url, root, baseURL] of cases)
    assert.partialDeepStrictEqual(readConnection({ url }, "user", environment), { root, baseURL })
})

test("--url wins over the environment, and that over the default", () => {
  const there = { ...environment, SLUICE_BASE_URL: "http://there:1/v1" }
  assert.equal(readConnection({ url: "http://here:1" }, "user", there).root, "http://here:1")
  assert.equal(readConnection({}, "user", there).root, "http://there:1")
  assert.equal(readConnection({}, "user", environment).root, "http://127.0.0.1:4000")
})

test("each role has its own key", () => {
  assert.equal(readConnection({}, "user", environment).key, "sk-user")
  assert.equal(readConnection({}, "admin", environment).key, "sk-admin")
})

test("a key that was minted on this machine is for gateways on this machine", () => {
  // Whoever tries the README has a data folder here, with a key in it.
  const empty = { SLUICE_DATA: join(import.meta.dirname, "no such folder") }
  assert.throws(
    () => readConnection({ url: "http://127.0.0.1:4000" }, "user", empty),
    /nor has a gateway minted one/,
  )
  const elsewhere =
    /^Misuse: there is no key: SLUICE_API_KEY is not set\. Set it, or name a file with --key-file\.$/
  assert.throws(() => readConnection({ url: "https://example.org" }, "user", {}), elsewhere)
})

test("an address that is none, or that holds a password, is refused", () => {
  for (const url of ["localhost:4000", "ftp://host", "", "http://u:p@host"])
    assert.throws(() => readConnection({ url }, "user", environment), Misuse)
})
