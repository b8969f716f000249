/**
 * The providers that are known by name. Adding one is adding an entry in `known/` and a transcript in
 * `test/transcripts`, then `npm run generate` (CONTRIBUTING.md shows it). An entry says what a source says: what none
 * was found for is left out, or said under `unverified`.
 */
import { type Dialect, dialects, openaiWith } from "@sluice/protocol/dialects"
import { ENGINES } from "./known/engines.ts"
import { HOSTS } from "./known/hosts.ts"
import { VENDORS } from "./known/vendors.ts"
import type { KnownProvider } from "./known-provider.ts"

export const KNOWN_PROVIDERS: readonly KnownProvider[] = [...VENDORS, ...HOSTS, ...ENGINES]

/** The kind of a server of nobody in particular, which speaks as OpenAI does. */
const COMPATIBLE = "openai-compatible"

/** What a configuration may say as `kind`. */
export const PROVIDER_KINDS: readonly string[] = [...KNOWN_PROVIDERS.map(({ name }) => name), COMPATIBLE]

/** The entry that a kind stands for; `openai-compatible` stands for nobody. */
export function knownProvider(kind: string): KnownProvider | undefined {
  return BY_NAME.get(kind)
}

/** What a provider of this kind is spoken to in. */
export function dialectOf(kind: string): Dialect {
  const known = knownProvider(kind)
  if (known?.quirks !== undefined) return openaiWith(known.quirks)
  return dialects[known?.dialect ?? "openai"]
}

const BY_NAME: ReadonlyMap<string, KnownProvider> = new Map(
  KNOWN_PROVIDERS.map((known) => [known.name, known]),
)
