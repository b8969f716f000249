/** The providers that a key in the environment switches on. Adding one is adding an entry. */

export const PROVIDER_KINDS = [
  "openai",
  "openrouter",
  "r9s",
  "atoma",
  "orq",
  "openai-compatible",
  "anthropic",
] as const

export type ProviderKind = (typeof PROVIDER_KINDS)[number]

export interface KnownProvider {
  readonly name: string
  readonly kind: ProviderKind
  /** What stands before `/chat/completions`. */
  readonly base_url: string
  /** The environment variable that holds its credential. */
  readonly variable: string
}

export const KNOWN_PROVIDERS: readonly KnownProvider[] = [
  { name: "openai", kind: "openai", base_url: "https://api.openai.com/v1", variable: "OPENAI_API_KEY" },
  {
    name: "anthropic",
    kind: "anthropic",
    base_url: "https://api.anthropic.com/v1",
    variable: "ANTHROPIC_API_KEY",
  },
  {
    name: "openrouter",
    kind: "openrouter",
    base_url: "https://openrouter.ai/api/v1",
    variable: "OPENROUTER_API_KEY",
  },
  { name: "r9s", kind: "r9s", base_url: "https://api.r9s.ai/v1", variable: "R9S_API_KEY" },
  {
    name: "atoma",
    kind: "atoma",
    base_url: "https://api.atoma.network/v1",
    variable: "ATOMASDK_BEARER_AUTH",
  },
  { name: "orq", kind: "orq", base_url: "https://my.orq.ai/v2/router", variable: "ORQ_API_KEY" },
  compatible("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
  compatible("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
  compatible("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
  compatible("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
  compatible("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
  compatible("xai", "https://api.x.ai/v1", "XAI_API_KEY"),
]

/** Named in the design, spoken later. */
export function isBuilt(kind: ProviderKind): boolean {
  return kind !== "anthropic"
}

/** The vendor that a kind stands for; `openai-compatible` stands for nobody. */
export function vendorOf(kind: ProviderKind): KnownProvider | undefined {
  return kind === "openai-compatible" ? undefined : KNOWN_PROVIDERS.find((provider) => provider.kind === kind)
}

function compatible(name: string, base_url: string, variable: string): KnownProvider {
  return { name, kind: "openai-compatible", base_url, variable }
}
