/** Which candidates a call may use, in which order. Pure: a model name and the routes in, a plan out. */
import { GatewayError } from "../gateway-error.ts"
import type { Provider } from "../providers/provider.ts"
import type { OnDisconnect } from "../streams/on-disconnect.ts"

export interface Candidate {
  readonly provider: Provider
  /** The provider's own name for the model. */
  readonly model: string
}

/** Milliseconds; what each means stands at `routing/attempt.ts`. */
export interface Timers {
  readonly connect: number
  readonly firstContent: number
  readonly idle: number
  readonly total: number
}

export interface Plan {
  readonly candidates: readonly Candidate[]
  readonly timers: Timers
  /** Rounds over the candidates after the first. */
  readonly retries: number
  readonly onDisconnect: OnDisconnect
  /** `headers`: the client's 200 does not wait for the first content. */
  readonly commit: "content" | "headers"
}

export interface Routes {
  readonly models: ReadonlyMap<string, Plan>
  readonly providers: ReadonlyMap<string, Provider>
  /** For plain `provider/model` calls. */
  readonly defaults: Omit<Plan, "candidates">
}

export function plan(model: string | undefined, routes: Routes): Plan {
  if (model === undefined || model === "") {
    throw new GatewayError("invalid_request", "'model' must be the name of a model.", { param: "model" })
  }
  const route = routes.models.get(model)
  if (route !== undefined) return route
  const slash = model.indexOf("/")
  const provider = slash > 0 ? routes.providers.get(model.slice(0, slash)) : undefined
  if (provider === undefined || slash === model.length - 1) {
    const known = [...routes.models.keys(), ...[...routes.providers.keys()].map((name) => `${name}/<model>`)]
    throw new GatewayError(
      "model_not_found",
      `There is no model '${model.slice(0, 200)}' here. Known: ${known.slice(0, 20).join(", ")}${known.length > 20 ? ", …" : ""}.`,
      { param: "model" },
    )
  }
  return { ...routes.defaults, candidates: [{ provider, model: model.slice(slash + 1) }] }
}
