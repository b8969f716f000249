/** Cases of what happens once, at a call's beginning and at its end. */
import type { IncomingHttpHeaders } from "node:http"
import type { ChatRequest, JsonObject } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import { createKeys } from "../src/auth/keys.ts"
import { newSecret } from "../src/auth/secret.ts"
import { costOf, inUsd, type Price } from "../src/ledger/price.ts"
import { createPriceList } from "../src/ledger/price-list.ts"
import type { Provider } from "../src/providers/provider.ts"
import { pricedName } from "../src/providers/sim-grammar.ts"
import { validateRequest } from "../src/request.ts"
import { createHealth } from "../src/routing/health.ts"
import type { Strategy } from "../src/routing/order.ts"
import { plan, type Routes, type Sight } from "../src/routing/plan.ts"
import { type Steering, wantedOf } from "../src/routing/wanted.ts"
import type { Case } from "./micro-measure.ts"

const SILENT: Steering = {
  provider: undefined,
  model: undefined,
  session: undefined,
  metadata: false,
  told: false,
}

const SMALL: JsonObject & ChatRequest = {
  model: "fast",
  messages: [{ role: "user", content: "Tell me a story." }],
  stream: true,
  stream_options: { include_usage: true },
}

/** A conversation of fifty turns, with tools. */
const LARGE: JsonObject & ChatRequest = {
  ...SMALL,
  temperature: 0.2,
  max_tokens: 4_000,
  messages: Array.from({ length: 100 }, (_, turn) => ({
    role: turn % 2 === 0 ? ("user" as const) : ("assistant" as const),
    content: `Turn ${turn}: the tide comes in twice a day, and nobody’s clock is asked.`,
  })),
  tools: Array.from({ length: 8 }, (_, number) => ({
    type: "function" as const,
    function: {
      name: `tool_${number}`,
      description: "Looks something up.",
      parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
    },
  })),
}

const STEERED: JsonObject & ChatRequest = {
  ...SMALL,
  models: ["slow", "acme/other"],
  provider: {
    order: ["p-1", "p-0"],
    ignore: ["p-9"],
    sort: "price",
    max_price: { prompt: 5, completion: 20 },
  },
  session_id: "a session",
}

export function callCases(): Case[] {
  return [
    keyCase(1),
    keyCase(100_000),
    { name: "validateRequest, 1 message", run: () => validateRequest(SMALL, "openai") },
    { name: "validateRequest, 100 messages, 8 tools", run: () => validateRequest(LARGE, "openai") },
    { name: "wantedOf, nothing wanted", run: () => wantedOf(SMALL, SILENT) },
    { name: "wantedOf, models and providers", run: () => wantedOf(STEERED, SILENT) },
    planCase(1, "ordered"),
    planCase(3, "ordered"),
    planCase(64, "ordered"),
    planCase(64, "cost"),
    ...priceCases(),
  ]
}

/** Among so many; another one is presented each time, of a thousand. */
function keyCase(count: number): Case {
  const keys = createKeys()
  const presented: IncomingHttpHeaders[] = []
  keys.add({ id: "env", admin: false }, newSecret())
  const limits = { requestsPerMinute: null, tokensPerMinute: null, parallel: null }
  for (let number = 0; number < count; number++) {
    const secret = newSecret()
    const key = {
      id: `key-${number}`,
      admin: false,
      stored: true,
      name: `key ${number}`,
      prefix: secret.slice(0, 14),
      project: null,
      tags: [],
      models: null,
      providers: null,
      onDisconnect: null,
      dialect: null,
      forbidDetach: false,
      logContent: false,
      limits,
      budget: null,
      expiresAt: null,
    }
    keys.set({ hash: keys.hash(secret), key })
    if (number % Math.ceil(count / 1_000) === 0) presented.push({ authorization: `Bearer ${secret}` })
  }
  let at = 0
  return {
    name: `key look-up, ${count.toLocaleString("en")} ${count === 1 ? "key" : "keys"}`,
    run() {
      at = at + 1 < presented.length ? at + 1 : 0
      return keys.authenticate(presented[at]!)
    },
    close: () => keys.close(),
  }
}

/** As chat.ts looks at the candidates: with the health that a process has, and prices from the table. */
function planCase(count: number, strategy: Strategy): Case {
  const route = routeOf(count, strategy)
  const wanted = wantedOf(SMALL, SILENT)
  const health = createHealth()
  const prices = createPriceList(new Map(), pricedName, itself)
  for (const candidate of route.models.get("fast")!.candidates) {
    const asking = health.ask(candidate, new Set())
    asking?.firstContent()
    asking?.finished(100)
  }
  const sight: Sight = {
    figuresOf: health.figuresOf,
    priceOf({ provider, model }) {
      const price = prices.priceOf(provider.name, model)
      return price === undefined ? undefined : inUsd(price)
    },
    random: Math.random,
    mayUse: () => true,
    takesAll: () => true,
    sessionAt: undefined,
  }
  const how = strategy === "ordered" ? "" : `, by ${strategy}`
  return {
    name: `plan, ${count} ${count === 1 ? "candidate" : "candidates"}${how}`,
    run: () => plan(wanted, route, sight),
  }
}

function itself(provider: string): string {
  return provider
}

function routeOf(count: number, strategy: Strategy): Routes {
  const providers = Array.from({ length: count }, (_, number): [string, Provider] => [
    `p-${number}`,
    {
      name: `p-${number}`,
      vendor: "openai-compatible",
      dialect: dialects.openai,
      prefill: false,
      credentials: ["none"],
      policy: { dataCollection: undefined, zdr: false },
      open() {
        throw new Error("a plan opens nothing")
      },
    },
  ])
  const defaults: Routes["defaults"] = {
    timers: { connect: 5_000, firstContent: 600_000, idle: 300_000, total: 1_800_000 },
    retries: 0,
    onDisconnect: { rule: "cancel" },
    commit: "content",
    strategy,
  }
  const candidates = providers.map(([, provider], number) => ({
    provider,
    model: `model-${number}`,
    weight: 1,
  }))
  return { models: new Map([["fast", { ...defaults, candidates }]]), providers: new Map(providers), defaults }
}

function priceCases(): Case[] {
  const configured = new Map<string, Price>([["acme/large", { input: 1_000_000, output: 4_000_000 }]])
  const prices = createPriceList(configured, pricedName, itself)
  const price = prices.priceOf("openai", "gpt-4o-mini")
  if (price === undefined) throw new Error("the table has no price for gpt-4o-mini")
  const usage = {
    prompt_tokens: 900,
    completion_tokens: 300,
    total_tokens: 1_200,
    prompt_tokens_details: { cached_tokens: 64 },
    completion_tokens_details: { reasoning_tokens: 20 },
  }
  return [
    { name: "price look-up, configured", run: () => prices.priceOf("acme", "large") },
    { name: "price look-up, of the table", run: () => prices.priceOf("openai", "gpt-4o-mini") },
    { name: "price look-up, a dated release", run: () => prices.priceOf("openai", "gpt-4o-mini-2024-07-18") },
    { name: "price look-up, none", run: () => prices.priceOf("nobody", "nothing") },
    { name: "cost of a usage", run: () => costOf(usage, price) },
  ]
}
