/** Every way into the gateway, and which SDK builds may come through it. */
import type { BuildName } from "../packages/protocol/test/validators.ts"

export interface Door {
  readonly name: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The builds that must be able to read what is answered here; OpenAI's own clients are not among the nine. */
  readonly builds: readonly BuildName[]
  readonly dialect: "openai" | "openrouter" | "r9s" | "atoma" | "orq"
  /** How a stream that did not finish is told: an end as HTTP has it after the error, or a broken transfer. */
  readonly failure: "told" | "broken"
  readonly idPrefix: string
  /** How often a tool call's id is said. */
  readonly toolIds: "once" | "every"
  readonly sendsDone: boolean
  readonly pads: boolean
}

type Dialect = Door["dialect"]

const R9S = ["r9s-0.5.0", "r9s-0.8.4"] as const
const OPENROUTER = ["openrouter-0.9.11", "openrouter-1.3.19"] as const
const ATOMA = ["atoma-0.1.1", "atoma-0.2.1"] as const
const ORQ = ["orq-python-3.11.7", "orq-python-4.12.15", "orq-node-4.15.11"] as const

const DIALECTS = {
  openai: { builds: [], failure: "told", idPrefix: "chatcmpl-", toolIds: "once", pads: false },
  openrouter: { builds: OPENROUTER, failure: "told", idPrefix: "gen-", toolIds: "once", pads: false },
  r9s: { builds: R9S, failure: "broken", idPrefix: "chatcmpl-", toolIds: "every", pads: false },
  atoma: { builds: ATOMA, failure: "broken", idPrefix: "chatcmpl-", toolIds: "every", pads: true },
  orq: { builds: ORQ, failure: "broken", idPrefix: "chatcmpl-", toolIds: "every", pads: false },
} as const satisfies Record<Dialect, Partial<Door>>

/** As the builds say it themselves. */
const USER_AGENTS: readonly (readonly [Dialect, string])[] = [
  ["r9s", "speakeasy-sdk/typescript 0.8.3 2.881.4 0.1.0 @r9s/sdk"],
  ["atoma", "speakeasy-sdk/typescript 0.1.0 2.486.6 0.1.0 atoma-sdk"],
  ["orq", "speakeasy-sdk/typescript 4.15.11 2.938.0 2.0 @orq-ai/node"],
  ["orq", "speakeasy-sdk/python 3.11.7 2.687.1 2.0 orq-ai-sdk"],
  ["openrouter", "speakeasy-sdk/typescript 1.3.19 2.914.0 1.0.0 @openrouter/sdk"],
  ["openai", "OpenAI/JS 7.55.0"],
]

export const DOORS: readonly Door[] = [
  door("openai", "/v1"),
  door("r9s", "/r9s/v1"),
  door("openrouter", "/openrouter/api/v1"),
  door("atoma", "/atoma/v1"),
  door("orq", "/orq/v2/router"),
  door("orq", "/orq/v2/gateway"),
  { ...door("orq", "/orq/v2/proxy"), sendsDone: false },
  ...USER_AGENTS.map(([dialect, agent]) => door(dialect, "/v1", { "user-agent": agent })),
  // The header wins over the user agent.
  door("atoma", "/v1", { "user-agent": "x @openrouter/sdk", "sluice-dialect": "atoma" }),
  door("openai", "/v1", { "user-agent": "x atoma-sdk", "sluice-dialect": "openai" }),
]

function door(dialect: Dialect, mount: string, headers: Record<string, string> = {}): Door {
  const said = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return {
    ...DIALECTS[dialect],
    name: [mount, ...said].join(", "),
    path: `${mount}/chat/completions`,
    headers,
    dialect,
    sendsDone: true,
  }
}
