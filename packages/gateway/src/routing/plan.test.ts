import assert from "node:assert/strict"
import { test } from "node:test"
import { openai } from "@sluice/protocol/dialects"
import { GatewayError } from "../gateway-error.ts"
import type { Provider } from "../providers/provider.ts"
import { plan, type Routes } from "./plan.ts"

const provider = (name: string): Provider => ({
  name,
  dialect: openai,
  prefill: false,
  credentials: ["none"],
  open() {
    throw new Error("a plan opens nothing")
  },
})
const local = provider("local")
const defaults: Routes["defaults"] = {
  timers: { connect: 1, firstContent: 2, idle: 3, total: 4 },
  retries: 0,
  onDisconnect: { rule: "cancel" },
  commit: "content",
}
const routes: Routes = {
  models: new Map([
    ["fast", { ...defaults, retries: 2, candidates: [{ provider: local, model: "a" }] }],
    ["local/special", { ...defaults, candidates: [{ provider: local, model: "routed" }] }],
  ]),
  providers: new Map([["local", local]]),
  defaults,
}

test("a route wins over provider/model, and the rest of a name is the provider's own", () => {
  assert.equal(plan("fast", routes).retries, 2)
  assert.deepEqual(plan("local/special", routes).candidates, [{ provider: local, model: "routed" }])
  assert.deepEqual(plan("local/meta/llama:free", routes).candidates, [
    { provider: local, model: "meta/llama:free" },
  ])
  assert.deepEqual(plan("local/x", routes).timers, defaults.timers)
})

test("what is not there is a 404 that says what is", () => {
  for (const model of ["slow", "nobody/x", "local/", "/x", "local"]) {
    assert.throws(
      () => plan(model, routes),
      (error) =>
        error instanceof GatewayError &&
        error.wire.status === 404 &&
        /fast.*local\/<model>/.test(error.message),
      model,
    )
  }
  assert.throws(
    () => plan("", routes),
    (error) => error instanceof GatewayError && error.wire.status === 400,
  )
})
