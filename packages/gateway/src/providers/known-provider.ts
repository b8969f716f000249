/** What is known of a place that runs models, as data. The table: known-providers.ts; for people: docs/providers.md. */
import type { RequestQuirks } from "@sluice/protocol/dialects"

export interface KnownProvider {
  /** Its name, and the `kind` that a configuration calls it by. */
  readonly name: string
  readonly dialect: "openai" | "openrouter" | "r9s" | "atoma" | "orq"
  /** What stands before `/chat/completions`; undefined: everybody has one of their own. */
  readonly baseUrl: string | undefined
  /** What one's own looks like, where everybody has one. */
  readonly example?: string
  /** The environment variables that its credential is looked for in, the first one wins. None: it needs no credential. */
  readonly variables: readonly string[]
  /** An engine that runs on the user's own machine, where it is looked for at the start. */
  readonly local?: true
  /** How its door is opened, where it is not by a bearer token alone. */
  readonly door?: Door
  /** What it takes otherwise than OpenAI does. Only where its dialect is `openai`: the others say it themselves. */
  readonly quirks?: RequestQuirks
  /** Where a stream's usage comes. Whoever reads a stream takes it from any of them. */
  readonly usage: "a chunk of its own" | "the last chunk" | "every chunk" | "the choice" | "unknown"
  readonly supports: Supports
  /** It is reached through an endpoint that imitates OpenAI's: what is lost on the way, a sentence each without a stop. */
  readonly compat?: readonly string[]
  /** What whoever uses it should know, a sentence each. */
  readonly notes?: readonly string[]
  /** What no source was found for. */
  readonly unverified?: string
  /** When the sources were read. */
  readonly asOf: string
  readonly sources: readonly string[]
}

export interface Door {
  /** The header that holds the credential, alone; undefined: `authorization: Bearer …`. */
  readonly header?: string
  /** Added to the address where its path has `under` in it. */
  readonly query?: { readonly under: string; readonly name: string; readonly value: string }
}

/** `some`: it depends on the model, or on the circumstances. */
export type Support = "yes" | "some" | "no"

/** What is left out nobody has said. */
export interface Supports {
  readonly streamingUsage?: Support
  readonly tools?: Support
  /** Answers held to a JSON schema. */
  readonly structuredOutput?: Support
  readonly reasoning?: Support
  readonly logprobs?: Support
  /** It goes on with an assistant's turn that it is given, and gives what follows it alone. */
  readonly prefill?: Support
}
