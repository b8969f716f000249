import assert from "node:assert/strict"
import { test } from "node:test"
import type { ChatRequest, DialectName } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import fc from "fast-check"
import { GatewayError } from "../gateway-error.ts"
import type { Policy, Provider } from "../providers/provider.ts"
import { type Figures, nameOf } from "./health.ts"
import type { CandidatePrice } from "./order.ts"
import { type Plan, plan, type Route, type Routes, type Sight, type WeightedCandidate } from "./plan.ts"
import { type Steering, wantedOf } from "./wanted.ts"

function provider(
  name: string,
  {
    dialect = "openai",
    policy = {},
  }: { dialect?: Exclude<DialectName, "anthropic">; policy?: Partial<Policy> } = {},
): Provider {
  return {
    name,
    dialect: dialects[dialect],
    vendor: "test",
    prefill: false,
    credentials: ["none"],
    policy: { dataCollection: undefined, zdr: false, ...policy },
    open() {
      throw new Error("a plan opens nothing")
    },
  }
}

const local = provider("local")
const away = provider("away", { dialect: "openrouter" })
const defaults: Routes["defaults"] = {
  timers: { connect: 1, firstContent: 2, idle: 3, total: 4_000 },
  retries: 0,
  onDisconnect: { rule: "cancel" },
  commit: "content",
  strategy: "ordered",
}

const SILENT: Steering = {
  provider: undefined,
  model: undefined,
  session: undefined,
  metadata: false,
  told: false,
}
const UNKNOWN: Figures = { busy: 0, firstContent: undefined, rate: undefined, dueAt: 0 }

/** What the plan may look at, by candidates' names. */
interface Known {
  figures?: Record<string, Partial<Figures>>
  prices?: Record<string, CandidatePrice>
  random?: () => number
  mayUse?: Sight["mayUse"]
  takesAll?: (name: string) => boolean
  sessionAt?: string
}

function sight({
  figures = {},
  prices = {},
  random = () => 0.5,
  mayUse = () => true,
  ...rest
}: Known = {}): Sight {
  return {
    figuresOf: (candidate) => ({ ...UNKNOWN, ...figures[nameOf(candidate)] }),
    priceOf: (candidate) => prices[nameOf(candidate)],
    random,
    mayUse,
    takesAll: (candidate) => rest.takesAll?.(nameOf(candidate)) ?? true,
    sessionAt: rest.sessionAt,
  }
}

function asked(
  request: Partial<ChatRequest>,
  routes: Routes,
  known: Known = {},
  steering: Partial<Steering> = {},
): Plan {
  const wanted = wantedOf({ messages: [], ...request }, { ...SILENT, ...steering })
  return plan(wanted, routes, sight(known))
}

function names({ candidates }: Plan): string[] {
  return candidates.map(nameOf)
}

function candidate(provider: Provider, model: string, weight = 1): WeightedCandidate {
  return { provider, model, weight }
}

function routesOf(models: Record<string, Partial<Route>>, providers: Provider[] = [local]): Routes {
  return {
    models: new Map(
      Object.entries(models).map(([name, route]) => [name, { ...defaults, candidates: [], ...route }]),
    ),
    providers: new Map(providers.map((one) => [one.name, one])),
    defaults,
  }
}

const simple = routesOf({
  fast: { retries: 2, candidates: [candidate(local, "a")] },
  "local/special": { candidates: [candidate(local, "routed")] },
})

test("a route wins over provider/model, and the rest of a name is the provider's own", () => {
  assert.equal(asked({ model: "fast" }, simple).retries, 2)
  assert.deepEqual(names(asked({ model: "local/special" }, simple)), ["local/routed"])
  assert.deepEqual(names(asked({ model: "local/meta/llama:free" }, simple)), ["local/meta/llama:free"])
  assert.deepEqual(asked({ model: "local/x" }, simple).timers, defaults.timers)
})

test("what is not there is a 404 that says what is", () => {
  for (const model of ["slow", "nobody/x", "local/", "/x", "local"]) {
    assert.throws(
      () => asked({ model }, simple),
      (error) =>
        error instanceof GatewayError &&
        error.wire.status === 404 &&
        /fast.*local\/<model>/.test(error.message),
      model,
    )
  }
  assert.throws(
    () => asked({ model: "" }, simple),
    (error) => error instanceof GatewayError && error.wire.status === 400,
  )
})

// ── 64 candidates, each another in everything that a plan can look at ──

const EIGHT = ["a", "b", "c", "d", "e", "f", "g", "h"].map((name, index) =>
  provider(name, {
    policy: { dataCollection: index % 2 === 0 ? "deny" : undefined, zdr: index % 4 === 0 },
    dialect: index === 7 ? "openrouter" : "openai",
  }),
)
const SIXTY_FOUR = EIGHT.flatMap((one) =>
  Array.from({ length: 8 }, (_, index) => candidate(one, String(index), index + 1)),
)
const wide = (strategy: Route["strategy"] = "ordered"): Routes =>
  routesOf(
    { wide: { strategy, candidates: SIXTY_FOUR }, other: { candidates: [candidate(EIGHT[0]!, "9")] } },
    EIGHT,
  )

const ALL = SIXTY_FOUR.map(nameOf)
const KNOWN: Known = {
  figures: Object.fromEntries(
    ALL.map((name, index) => [
      name,
      { busy: (index * 37) % 64, firstContent: 1 + ((index * 29) % 64), rate: 1 + ((index * 23) % 64) },
    ]),
  ),
  prices: Object.fromEntries(
    ALL.slice(0, 60).map((name, index) => [
      name,
      { prompt: (index * 13) % 60, completion: 0, request: index / 100 },
    ]),
  ),
}
const by = (value: (name: string, index: number) => number): string[] =>
  ALL.map((name, index) => ({ name, value: value(name, index) }))
    .sort((x, y) => x.value - y.value)
    .map(({ name }) => name)
const of = (...providers: string[]): string[] => ALL.filter((name) => providers.includes(name.split("/")[0]!))
const not = (...providers: string[]): string[] =>
  ALL.filter((name) => !providers.includes(name.split("/")[0]!))

const TABLE: readonly {
  about: string
  request?: Partial<ChatRequest>
  strategy?: Route["strategy"]
  known?: Known
  steering?: Partial<Steering>
  expected: string[]
}[] = [
  { about: "ordered: as written", expected: ALL },
  { about: "least-busy", strategy: "least-busy", expected: by((name) => KNOWN.figures![name]!.busy!) },
  { about: "latency", strategy: "latency", expected: by((name) => KNOWN.figures![name]!.firstContent!) },
  {
    about: "throughput, by :nitro",
    request: { model: "wide:nitro" },
    expected: by((name) => -KNOWN.figures![name]!.rate!),
  },
  {
    about: "cost: those without a price last",
    strategy: "cost",
    expected: by((name) => KNOWN.prices![name]?.prompt ?? 1e9),
  },
  {
    about: ":floor is cost",
    request: { model: "wide:floor" },
    expected: by((name) => KNOWN.prices![name]?.prompt ?? 1e9),
  },
  {
    about: "sort wins over the route's strategy",
    strategy: "latency",
    request: { provider: { sort: "price" } },
    expected: by((name) => KNOWN.prices![name]?.prompt ?? 1e9),
  },
  {
    about: "sort as an object",
    request: { provider: { sort: { by: "latency", partition: "none" } } },
    expected: by((name) => KNOWN.figures![name]!.firstContent!),
  },
  {
    about: "only, h reading it for itself",
    request: { provider: { only: ["b", "C/turbo"] } },
    expected: of("b", "c", "h"),
  },
  { about: "ignore", request: { provider: { ignore: ["a", "g"] } }, expected: not("a", "g") },
  {
    about: "order, then the rest",
    request: { provider: { order: ["d", "b"] } },
    expected: [...of("d"), ...of("b"), ...not("d", "b")],
  },
  {
    about: "order and no fallbacks",
    request: { provider: { order: ["d", "b"], allow_fallbacks: false } },
    expected: [...of("d"), ...of("b"), ...of("h")],
  },
  { about: "no fallbacks", request: { provider: { allow_fallbacks: false } }, expected: ["a/0"] },
  {
    about: "no data collection",
    request: { provider: { data_collection: "deny" } },
    expected: of("a", "c", "e", "g", "h"),
  },
  { about: "zero retention", request: { provider: { zdr: true } }, expected: of("a", "e", "h") },
  {
    about: "a price of its prompts",
    request: { provider: { max_price: { prompt: "10" } } },
    expected: ALL.filter((name) => (KNOWN.prices![name]?.prompt ?? 1e9) <= 10),
  },
  {
    about: "a price of its calls",
    request: { provider: { max_price: { request: 0.05 } } },
    expected: ALL.slice(0, 6),
  },
  {
    about: "all parameters",
    request: { provider: { require_parameters: true } },
    known: { ...KNOWN, takesAll: (name) => name.startsWith("c") },
    expected: of("c", "h"),
  },
  {
    about: "a preferred rate puts the slower behind, in their order",
    request: { provider: { preferred_min_throughput: { p50: 40 } } },
    expected: [
      ...ALL.filter((name) => KNOWN.figures![name]!.rate! >= 40),
      ...ALL.filter((name) => KNOWN.figures![name]!.rate! < 40),
    ],
  },
  {
    about: "open ones last, the first due first",
    known: { ...KNOWN, figures: { ...KNOWN.figures, "a/0": { dueAt: 9 }, "a/1": { dueAt: 5 } } },
    expected: [...ALL.slice(2), "a/1", "a/0"],
  },
  {
    about: "a session's candidate first",
    request: { session_id: "s" },
    known: { ...KNOWN, sessionAt: "c/3" },
    expected: ["c/3", ...ALL.filter((name) => name !== "c/3")],
  },
  {
    about: "a session's candidate that is open is not asked first",
    request: { session_id: "s" },
    known: { ...KNOWN, sessionAt: "a/1", figures: { ...KNOWN.figures, "a/1": { dueAt: 5 } } },
    expected: [...ALL.filter((name) => name !== "a/1"), "a/1"],
  },
  {
    about: "another model's candidates after the first's",
    request: { models: ["other"] },
    expected: [...ALL, "a/9"],
  },
  {
    about: "a model twice is asked once",
    request: { models: ["wide", "a/3", "other"] },
    expected: [...ALL, "a/9"],
  },
  { about: "Orq's fallbacks", request: { fallbacks: [{ model: "other" }] }, expected: [...ALL, "a/9"] },
  {
    about: "Orq's balancer draws a model, and the others follow",
    request: {
      load_balancer: {
        type: "weight_based",
        models: [
          { model: "other", weight: 1 },
          { model: "wide", weight: 1e-9 },
        ],
      },
    },
    expected: ["a/9", ...ALL],
  },
  { about: "r9s' header names who answers", steering: { provider: "b" }, expected: of("b", "h") },
  { about: "r9s' token key names the model", steering: { model: "other" }, expected: ["a/9"] },
  {
    about: "what the key may not use",
    known: { ...KNOWN, mayUse: (_, name) => name === undefined || name === "f" },
    expected: of("f"),
  },
  {
    about: "what only OpenRouter can do",
    request: { provider: { quantizations: ["fp8"] } },
    expected: of("h"),
  },
]

for (const { about, request = {}, strategy, known = KNOWN, steering, expected } of TABLE) {
  test(`64 candidates, ${about}`, () => {
    assert.deepEqual(names(asked({ model: "wide", ...request }, wide(strategy), known, steering)), expected)
  })
}

test("who excludes all is told which of its members did", () => {
  const refused = (
    request: Partial<ChatRequest>,
    known: Known = {},
  ): { status: number; param: string | undefined } => {
    try {
      asked({ model: "fast", ...request }, simple, known)
    } catch (error) {
      if (error instanceof GatewayError) return { status: error.wire.status, param: error.wire.param }
      throw error
    }
    throw new Error("it was planned")
  }
  assert.deepEqual(refused({ provider: { only: ["openai"] } }), { status: 404, param: "provider.only" })
  assert.deepEqual(refused({ provider: { zdr: true } }), { status: 404, param: "provider.zdr" })
  assert.deepEqual(refused({ provider: { max_price: { prompt: 1 } } }), {
    status: 404,
    param: "provider.max_price.prompt",
  })
  assert.deepEqual(refused({ provider: { sort: "exacto" } }), { status: 400, param: "provider.sort" })
  assert.deepEqual(refused({ guardrails: [{ id: "x", execute_on: "input" }] }), {
    status: 400,
    param: "guardrails",
  })
  assert.deepEqual(refused({ plugins: [{ id: "web" }] }), { status: 400, param: "plugins[0]" })
  assert.deepEqual(refused({ tools: [{ type: "openrouter:web_search" }] }), {
    status: 400,
    param: "tools[0]",
  })
  assert.deepEqual(refused({ models: ["nobody/x"] }), { status: 404, param: "models[0]" })
  assert.deepEqual(refused({}, { mayUse: () => false }), { status: 403, param: "model" })
  assert.deepEqual(refused({}, { mayUse: (_, name) => name === undefined }), { status: 403, param: "model" })
})

test("a preset goes to OpenRouter, and is a 400 where nobody is of its kind", () => {
  const both = routesOf({ fast: { candidates: [candidate(local, "a"), candidate(away, "b")] } }, [
    local,
    away,
  ])
  assert.deepEqual(names(asked({ model: "fast", preset: "terse" }, both)), ["away/b"])
  for (const model of ["away/@preset/terse", "away/a/b@preset/terse"])
    assert.deepEqual(names(asked({ model }, both)), [model])
  for (const request of [
    { model: "local/x", preset: "terse" },
    { model: "@preset/terse" },
    { model: "local/x@preset/terse" },
    { model: "fast@preset/terse" },
    { model: "fast", models: ["local/@preset/terse"] },
  ]) {
    assert.throws(
      () => asked(request, both),
      (error) =>
        error instanceof GatewayError &&
        error.wire.status === 400 &&
        /preset.*openrouter/.test(error.message),
      JSON.stringify(request),
    )
  }
})

test("a custom tool, a choice of one or a call of one goes to who speaks as OpenAI does, and nowhere else", () => {
  const both = routesOf({ fast: { candidates: [candidate(away, "b"), candidate(local, "a")] } }, [
    local,
    away,
  ])
  const custom = { name: "run" }
  const call = { id: "a", type: "custom" as const, custom: { name: "run", input: "x" } }
  for (const [param, request] of Object.entries<Partial<ChatRequest>>({
    "tools[1]": { tools: [{ type: "function" }, { type: "custom", custom }] },
    tool_choice: { tool_choice: { type: "custom", custom } },
    "messages[1].tool_calls": {
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", tool_calls: [call] },
      ],
    },
  })) {
    assert.deepEqual(names(asked({ model: "fast", ...request }, both)), ["local/a"])
    assert.throws(
      () => asked({ model: "away/b", ...request }, both),
      (error) => error instanceof GatewayError && error.wire.status === 400 && error.wire.param === param,
    )
  }
})

test("plugins that only mend, and those that are switched off, are no reason to refuse", () => {
  const plugins = [{ id: "response-healing" }, { id: "web", enabled: false }]
  assert.deepEqual(names(asked({ model: "fast", plugins }, simple)), ["local/a"])
})

test("a simulator's suffix stands before its script", () => {
  const sim = provider("sim")
  const routes = routesOf({}, [sim])
  assert.deepEqual(names(asked({ model: "sim/story:nitro:gap=5,tokens=3" }, routes)), [
    "sim/story:gap=5,tokens=3",
  ])
  assert.deepEqual(names(asked({ model: "sim/story:floor" }, routes)), ["sim/story"])
  assert.deepEqual(names(asked({ model: "sim/story:gap=5" }, routes)), ["sim/story:gap=5"])
})

test("OpenRouter's own suffixes are left to it", () => {
  const routes = routesOf({}, [provider("or", { dialect: "openrouter" })])
  assert.deepEqual(names(asked({ model: "or/meta/llama:nitro" }, routes)), ["or/meta/llama:nitro"])
})

test("a model without its provider is found at those that the request names", () => {
  assert.deepEqual(names(asked({ model: "gpt-4o" }, simple, {}, { provider: "local" })), ["local/gpt-4o"])
  assert.deepEqual(names(asked({ model: "gpt-4o", provider: { only: ["local"] } }, simple)), ["local/gpt-4o"])
})

test("Orq's retry and timeout replace the route's, and never lengthen its timers", () => {
  const planned = asked(
    { model: "fast", retry: { count: 4, on_codes: [503] }, timeout: { call_timeout: 50 } },
    simple,
  )
  assert.equal(planned.retries, 4)
  assert.deepEqual([...planned.retryOn!], [503])
  assert.equal(planned.timers.total, 50)
  assert.equal(asked({ model: "fast", timeout: { call_timeout: 5e6 } }, simple).timers.total, 4_000)
})

test("a retry that does not say how often is three rounds", () => {
  assert.equal(asked({ model: "fast", retry: { on_codes: [500] } }, simple).retries, 3)
})

test("a name of another shape is somebody else's word, and what nobody here knows is said to be dropped", () => {
  const wanted = (request: object, told = false) =>
    wantedOf({ messages: [], ...request } as ChatRequest, { ...SILENT, told })
  const strange = {
    timeout: 30,
    retry: 2,
    name: 7,
    provider: "x",
    models: "m",
    orq: [],
    route: 1,
    fallbacks: {},
  }
  assert.deepEqual([...wanted(strange).honoured], [])
  assert.deepEqual(
    wanted({ orq: { thread: {}, foo: 1, retry: {} }, provider: { onyl: ["a"], only: ["a"] } }).dropped,
    ["provider.onyl", "orq.thread", "orq.foo"],
  )
  const debug = { stream: true, debug: { echo_upstream_body: true } }
  assert.deepEqual([...wanted(debug).honoured], [], "no other mount has a place for it")
  assert.deepEqual([...wanted(debug, true).honoured], ["debug"])
})

test("lists without an end are refused, and those of a reasonable length are quick", () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `local/${index}`)
  for (const request of [
    { models: many(129) },
    { fallbacks: many(129).map((model) => ({ model })) },
    { load_balancer: { type: "weight_based", models: many(129).map((model) => ({ model })) } },
    { provider: { ignore: many(129) } },
  ]) {
    assert.throws(
      () => asked({ model: "fast", ...request }, simple),
      (error) => error instanceof GatewayError && error.wire.status === 400,
    )
  }
  assert.equal(asked({ model: "fast", models: many(127) }, simple).candidates.length, 128)
})

test("whatever is wanted, a plan holds each allowed candidate once, none that is excluded, and open ones behind", () => {
  const someOf = (of: readonly string[]) => fc.subarray([...of])
  const letters = EIGHT.map(({ name }) => name)
  fc.assert(
    fc.property(
      fc.record({
        strategy: fc.constantFrom("ordered", "weighted", "least-busy", "latency", "cost"),
        only: fc.option(someOf(letters), { nil: undefined }),
        ignore: someOf(letters),
        order: someOf(letters),
        sort: fc.constantFrom(undefined, "price", "latency", "throughput"),
        open: someOf(ALL),
        session: fc.constantFrom(undefined, ...ALL),
        random: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 64,
          maxLength: 64,
        }),
      }),
      ({ strategy, only, ignore, order, sort, open, session, random }) => {
        let drawn = 0
        const figures = Object.fromEntries(
          ALL.map((name, index) => [
            name,
            { ...KNOWN.figures![name], dueAt: open.includes(name) ? index + 1 : 0 },
          ]),
        )
        const known: Known = {
          ...KNOWN,
          figures,
          random: () => random[drawn++ % 64]!,
          ...(session === undefined ? {} : { sessionAt: session }),
        }
        const request = {
          model: "wide",
          provider: {
            ...(only === undefined ? {} : { only }),
            ignore,
            order,
            ...(sort === undefined ? {} : { sort }),
          },
          ...(session === undefined ? {} : { session_id: "s" }),
        }
        const allowed = ALL.filter((name) => {
          const at = name.split("/")[0]!
          return at === "h" || ((only === undefined || only.includes(at)) && !ignore.includes(at))
        })
        const planned = names(asked(request, wide(strategy as Route["strategy"]), known))
        assert.deepEqual([...planned].sort(), [...allowed].sort())
        const firstOpen = planned.findIndex((name) => open.includes(name))
        if (firstOpen >= 0) assert.ok(planned.slice(firstOpen).every((name) => open.includes(name)))
        if (session !== undefined && allowed.includes(session) && !open.includes(session))
          assert.equal(planned[0], session)
      },
    ),
    { numRuns: 300 },
  )
})

test("weights are shares: within 2 % of 10,000 plans, for the first and for the rest", () => {
  const weights = [1, 2, 3, 10]
  const routes = routesOf({
    split: {
      strategy: "weighted",
      candidates: weights.map((weight, index) => candidate(local, String(index), weight)),
    },
  })
  const first = new Map<string, number>()
  const second = new Map<string, number>()
  for (let call = 0; call < 10_000; call++) {
    const [one, two] = names(asked({ model: "split" }, routes, { random: Math.random }))
    first.set(one!, (first.get(one!) ?? 0) + 1)
    if (one === "local/3") second.set(two!, (second.get(two!) ?? 0) + 1)
  }
  for (const [index, weight] of weights.entries())
    assert.ok(Math.abs((first.get(`local/${index}`) ?? 0) / 10_000 - weight / 16) < 0.02, String([...first]))
  const behind = first.get("local/3")!
  for (const [index, weight] of weights.slice(0, 3).entries())
    assert.ok(Math.abs((second.get(`local/${index}`) ?? 0) / behind - weight / 6) < 0.04, String([...second]))
})
