/**
 * Which candidates a call may use, in which order. Pure: what is wanted, the routes and what is known of the candidates
 * in, a plan out.
 *
 *   name    each model that the request names, its fallbacks after it → a group of candidates
 *   leave   out those that the request, the key or the operator's word on privacy exclude
 *   order   each group by its strategy, or as the request says
 *   spare   those whose breaker is open: last, never gone, since one that may fail is better than none
 */
import { GatewayError } from "../gateway-error.ts"
import type { Provider } from "../providers/provider.ts"
import type { OnDisconnect } from "../streams/on-disconnect.ts"
import { nameOf } from "./health.ts"
import { byLowest, inOrder, lot, type Strategy, type View } from "./order.ts"
import type { Choice, Need, Sort, Wanted } from "./wanted.ts"

export interface Candidate {
  readonly provider: Provider
  /** The provider's own name for the model. */
  readonly model: string
}

export interface WeightedCandidate extends Candidate {
  readonly weight: number
}

/** Milliseconds; what each means stands at `routing/attempt.ts`. */
export interface Timers {
  readonly connect: number
  readonly firstContent: number
  readonly idle: number
  readonly total: number
}

interface Settings {
  readonly timers: Timers
  /** Rounds over the candidates after the first. */
  readonly retries: number
  readonly onDisconnect: OnDisconnect
  /** `headers`: the client's 200 does not wait for the first content. */
  readonly commit: "content" | "headers"
}

export interface Route extends Settings {
  readonly strategy: Strategy
  readonly candidates: readonly WeightedCandidate[]
}

export interface Routes {
  readonly models: ReadonlyMap<string, Route>
  readonly providers: ReadonlyMap<string, Provider>
  /** For plain `provider/model` calls. */
  readonly defaults: Omit<Route, "candidates">
}

export interface Plan extends Settings {
  readonly candidates: readonly Candidate[]
  /** Only these statuses are worth another round; undefined: all that may pass. */
  readonly retryOn?: ReadonlySet<number> | undefined
  /** How the first candidate was found, in OpenRouter's words. */
  readonly foundBy: "direct" | "alias" | "fallback"
}

export interface Sight extends View {
  /** `provider` undefined: whether the key may ask for the model at all. */
  mayUse(model: string, provider?: string): boolean
  /** Whether its dialect has a place for every member of the request. */
  takesAll(candidate: Candidate): boolean
  /** The candidate that this session went to last. */
  readonly sessionAt: string | undefined
}

export function plan(wanted: Wanted, routes: Routes, sight: Sight): Plan {
  const choices = wanted.drawn
    ? byLowest(wanted.models, ({ weight }) => lot(weight, sight.random()))
    : wanted.models
  const [first] = choices
  if (first === undefined)
    throw new GatewayError("invalid_request", "'model' must be the name of a model.", { param: "model" })
  const groups = choices.map((choice) => name(choice, wanted, routes, sight))
  const named = groups[0]!
  const ordered = groups.flatMap((group) => order(leave(group, wanted, sight), wanted, sight))
  if (ordered.length === 0) throw nobodyLeft(groups, wanted, sight)
  return {
    timers: wanted.total === undefined ? named.timers : shortened(named.timers, wanted.total),
    retries: wanted.retries ?? named.retries,
    retryOn: wanted.retryOn,
    onDisconnect: named.onDisconnect,
    commit: named.commit,
    candidates: spare(ordered, wanted, sight),
    foundBy: choices.length > 1 ? "fallback" : named.isRoute ? "alias" : "direct",
  }
}

// ── name ──

interface Group extends Route {
  readonly choice: Choice
  readonly sort: Sort | undefined
  readonly isRoute: boolean
}

function name(choice: Choice, wanted: Wanted, routes: Routes, sight: Sight): Group {
  const { model, param } = choice
  if (!sight.mayUse(model))
    throw new GatewayError("permission_denied", `This key may not use the model '${shown(model)}'.`, {
      param,
    })
  const exact = routes.models.get(model)
  if (exact !== undefined) return { ...exact, choice, sort: undefined, isRoute: true }
  const { bare, sort } = readSuffix(model)
  const route = routes.models.get(bare)
  if (route !== undefined) return { ...route, choice, sort, isRoute: true }
  const found = byProvider(model, bare, wanted, routes)
  const isPreset = model.includes("@preset/")
  const candidates = isPreset ? found.filter(({ provider }) => speaks(provider, "openrouter")) : found
  if (candidates.length === 0) throw isPreset ? presetElsewhere(choice) : unknownModel(choice, routes)
  return { ...routes.defaults, candidates, choice, sort, isRoute: false }
}

/** `provider/model`; a model without one where the request names its providers. */
function byProvider(model: string, bare: string, wanted: Wanted, routes: Routes): WeightedCandidate[] {
  const slash = model.indexOf("/")
  const provider = slash > 0 ? routes.providers.get(model.slice(0, slash)) : undefined
  if (provider !== undefined) {
    // OpenRouter's suffixes are its own to read.
    const own = speaks(provider, "openrouter") ? model.slice(slash + 1) : bare.slice(slash + 1)
    return own === "" ? [] : [{ provider, model: own, weight: 1 }]
  }
  return (wanted.only ?? []).flatMap((asked) => {
    const provider = routes.providers.get(asked)
    return provider === undefined ? [] : [{ provider, model: bare, weight: 1 }]
  })
}

/** `:nitro` and `:floor` look at what stands before a simulator's script. */
function readSuffix(model: string): { bare: string; sort: Sort | undefined } {
  const found = /:(nitro|floor)(?=$|:[^:/]*=[^:/]*$)/.exec(model)
  if (found === null) return { bare: model, sort: undefined }
  return {
    bare: model.slice(0, found.index) + model.slice(found.index + found[0].length),
    sort: found[1] === "nitro" ? "throughput" : "price",
  }
}

// ── leave ──

function leave(group: Group, wanted: Wanted, sight: Sight): Group {
  const candidates = group.candidates.filter(
    (candidate) => reasonAgainst(candidate, group, wanted, sight) === undefined,
  )
  return { ...group, candidates }
}

/** Which of the request's members excludes it; undefined: none. */
function reasonAgainst(candidate: Candidate, group: Group, wanted: Wanted, sight: Sight): string | undefined {
  const { provider } = candidate
  if (!sight.mayUse(group.choice.model, provider.name)) return "the key"
  const need = wanted.needs.find(({ vendor }) => !speaks(provider, vendor))
  if (need !== undefined) return need.param
  const against = againstPrice(candidate, wanted, sight)
  if (against !== undefined) return against
  // What follows OpenRouter reads for itself, of the places behind it.
  if (speaks(provider, "openrouter")) return undefined
  const isIn = (names: readonly string[]): boolean => names.some((name) => isCalled(provider, name))
  if (wanted.only !== undefined && !isIn(wanted.only)) return "provider.only"
  if (isIn(wanted.ignore)) return "provider.ignore"
  if (!wanted.fallbacks && wanted.order.length > 0 && !isIn(wanted.order)) return "provider.allow_fallbacks"
  if (wanted.noDataCollection && provider.policy.dataCollection !== "deny") return "provider.data_collection"
  if (wanted.zdr && !provider.policy.zdr) return "provider.zdr"
  if (wanted.allParameters && !sight.takesAll(candidate)) return "provider.require_parameters"
  return undefined
}

/** Nobody can say of a candidate without a price that it is cheap enough. */
function againstPrice(candidate: Candidate, { maxPrice }: Wanted, sight: Sight): string | undefined {
  const limits = Object.entries(maxPrice) as ["prompt" | "completion" | "request", number][]
  if (limits.length === 0) return undefined
  const price = sight.priceOf(candidate)
  const over = limits.find(([name, most]) => price === undefined || price[name] > most)
  return over === undefined ? undefined : `provider.max_price.${over[0]}`
}

// ── order ──

const STRATEGY_OF_SORT = { price: "cost", throughput: "throughput", latency: "latency" } as const

function order(group: Group, wanted: Wanted, sight: Sight): readonly Candidate[] {
  const sort = wanted.sort ?? group.sort
  const sorted = inOrder(
    group.candidates,
    sort === undefined ? group.strategy : STRATEGY_OF_SORT[sort],
    sight,
  )
  const preferred = byLowest(sorted, (candidate) => fallsShort(candidate, wanted, sight))
  if (wanted.order.length === 0) return wanted.fallbacks ? preferred : preferred.slice(0, 1)
  const place = ({ provider }: Candidate): number => {
    const at = wanted.order.findIndex((name) => isCalled(provider, name))
    return at < 0 ? wanted.order.length : at
  }
  return byLowest(preferred, place)
}

/** 1: it is known to be slower than the request would like. */
function fallsShort(candidate: Candidate, { preferred }: Wanted, sight: Sight): number {
  if (preferred.rate === undefined && preferred.firstContent === undefined) return 0
  const { rate, firstContent } = sight.figuresOf(candidate)
  const slow = preferred.rate !== undefined && rate !== undefined && rate < preferred.rate
  const late =
    preferred.firstContent !== undefined &&
    firstContent !== undefined &&
    firstContent > preferred.firstContent
  return slow || late ? 1 : 0
}

// ── spare ──

function spare(candidates: readonly Candidate[], wanted: Wanted, sight: Sight): readonly Candidate[] {
  if (candidates.length < 2) return candidates
  const once = [...new Map(candidates.map((candidate) => [nameOf(candidate), candidate])).values()]
  const due = new Map(once.map((candidate) => [candidate, sight.figuresOf(candidate).dueAt]))
  const isSessions = (candidate: Candidate): boolean =>
    wanted.session !== undefined && due.get(candidate) === 0 && nameOf(candidate) === sight.sessionAt
  const sessionFirst = byLowest(once, (candidate) => (isSessions(candidate) ? 0 : 1))
  return byLowest(sessionFirst, (candidate) => due.get(candidate)!)
}

// ── words ──

function speaks(provider: Provider, vendor: Need["vendor"]): boolean {
  return provider.dialect.name === vendor
}

/** OpenRouter's names of providers may say a variant, `deepinfra/turbo`, and its documents write them in capitals. */
function isCalled(provider: Provider, name: string): boolean {
  return provider.name.toLowerCase() === name.split("/", 1)[0]!.toLowerCase()
}

function shortened(timers: Timers, total: number): Timers {
  return { ...timers, total: Math.min(timers.total, total) }
}

function shown(model: string): string {
  return model.slice(0, 200)
}

function unknownModel({ model, param }: Choice, routes: Routes): GatewayError {
  const known = [...routes.models.keys(), ...[...routes.providers.keys()].map((name) => `${name}/<model>`)]
  return new GatewayError(
    "model_not_found",
    `There is no model '${shown(model)}' here. Known: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}.`,
    { param },
  )
}

/** `@preset/slug`, or `a/model@preset/slug`: no other provider would know what model that is. */
function presetElsewhere({ model, param }: Choice): GatewayError {
  return new GatewayError(
    "invalid_request",
    `'${param}' names a preset, which only a provider of kind openrouter can do: ask there, for '<its name>/@preset/…', and not for '${shown(model)}'.`,
    { param },
  )
}

/** The member that excludes the last of them is the one to tell. */
function nobodyLeft(groups: readonly Group[], wanted: Wanted, sight: Sight): GatewayError {
  const reasons = new Set(
    groups.flatMap((group) =>
      group.candidates.map(
        (candidate) => reasonAgainst(candidate, group, wanted, sight) ?? "allow_fallbacks",
      ),
    ),
  )
  const need = wanted.needs.find(({ param }) => reasons.has(param))
  if (need !== undefined) {
    return new GatewayError(
      "invalid_request",
      `'${need.param}' can only be done by a provider of kind ${need.vendor}, and none of this model's is one. Leave it out, or ask for a model there.`,
      { param: need.param },
    )
  }
  if (reasons.size === 1 && reasons.has("the key")) {
    return new GatewayError(
      "permission_denied",
      "This key may use none of the providers that have this model.",
      { param: "model" },
    )
  }
  const params = [...reasons].filter((reason) => reason !== "the key")
  return new GatewayError(
    "model_not_found",
    `No provider of this model is left: ${params.map((param) => `'${param}'`).join(" and ")} exclude${params.length === 1 ? "s" : ""} all of them.`,
    { param: params[0]! },
  )
}
