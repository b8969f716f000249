import assert from "node:assert/strict"
import { test } from "node:test"
import { SYSTEMS, type SystemName, targetOf } from "./system.ts"

const GATEWAY = "https://gateway.example"

test("a base URL alone means a gateway", () => {
  const target = { system: "sluice", baseURL: `${GATEWAY}/v1`, isSluice: true }
  assert.deepEqual(targetOf({ baseURL: `${GATEWAY}/v1/` }), target)
})

test("a known system's own host is never taken for a gateway, whatever it is called", () => {
  for (const system of Object.keys(SYSTEMS) as SystemName[]) {
    if (system === "sluice") continue
    const { baseURL } = SYSTEMS[system]
    assert.deepEqual(targetOf({ baseURL }), { system, baseURL, isSluice: false })
    assert.deepEqual(targetOf({ system }), { system, baseURL, isSluice: false })
    assert.equal(targetOf({ system: "sluice", baseURL }).isSluice, false)
  }
  assert.equal(targetOf({ baseURL: "https://api.orq.ai/v2/router" }).system, "orq")
})

test("a host that only looks like a known system's is not that system's", () => {
  assert.equal(targetOf({ baseURL: "https://openrouter.ai.example/api/v1" }).system, "sluice")
  assert.equal(targetOf({ baseURL: "https://notopenrouter.ai/api/v1" }).system, "sluice")
})

test("a system at one of the gateway's mounts is a gateway that speaks its dialect", () => {
  const mounts = {
    r9s: "/r9s/v1",
    openrouter: "/openrouter/api/v1",
    atoma: "/atoma/v1",
    orq: "/orq/v2/router",
  } as const
  for (const [system, path] of Object.entries(mounts) as [SystemName, string][]) {
    assert.equal(targetOf({ system, baseURL: GATEWAY + path }).isSluice, true)
    assert.equal(targetOf({ system, baseURL: `${GATEWAY}/v1` }).isSluice, false)
  }
})

test("any other OpenAI-compatible server is no gateway until it shows to be one", () => {
  assert.equal(targetOf({ system: "openai", baseURL: "http://127.0.0.1:8080/v1" }).isSluice, false)
})

test("an address in one's own page has no owner", () => {
  assert.deepEqual(targetOf({ baseURL: "/api/v1" }), { system: "sluice", baseURL: "/api/v1", isSluice: true })
})

test("Atoma takes stop as an array only", () => {
  assert.deepEqual(SYSTEMS.atoma.adjust?.({ stop: "." }), { stop: ["."] })
  assert.deepEqual(SYSTEMS.atoma.adjust?.({ stop: ["."] }), { stop: ["."] })
  assert.deepEqual(SYSTEMS.atoma.adjust?.({}), {})
})
