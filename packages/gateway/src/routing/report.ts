/** What became of a call's plan, for OpenRouter's clients that ask: `openrouter_metadata`, and `debug.echo_upstream_body`. */
import type { JsonObject, OpenRouterMetadata, WireError } from "@sluice/protocol"
import { nameOf } from "./health.ts"
import type { Candidate, Plan } from "./plan.ts"
import type { Wanted } from "./wanted.ts"

export interface Report {
  /** One was asked, and this came of it; `error` undefined: it answered, or the client left first. */
  tried(candidate: Candidate, status: number, body: JsonObject): void
  /** Undefined: nobody asked for it. */
  metadata(): OpenRouterMetadata | undefined
  /** What the tried ones were sent, where that was asked for; each is given once. */
  echoes(): JsonObject[]
  /** The error with the metadata, where it was asked for. */
  told(error: WireError): WireError
}

export function createReport(
  { candidates, foundBy }: Plan,
  { metadata, echo }: Pick<Wanted, "metadata" | "echo">,
  requested: string,
): Report {
  const attempts: { provider: string; model: string; status: number }[] = []
  let bodies: JsonObject[] = []
  let answering: string | undefined

  function write(): OpenRouterMetadata {
    const tried = attempts.length
    return {
      requested,
      strategy: foundBy,
      region: null,
      summary: `${tried} of ${candidates.length} candidate${candidates.length === 1 ? "" : "s"} tried${answering === undefined ? "" : `, answered by ${answering}`}`,
      attempt: tried,
      is_byok: false,
      endpoints: {
        total: candidates.length,
        available: candidates.map((candidate) => ({
          provider: candidate.provider.name,
          model: nameOf(candidate),
          selected: nameOf(candidate) === answering,
        })),
      },
      attempts,
    }
  }

  return {
    tried(candidate, status, body) {
      attempts.push({ provider: candidate.provider.name, model: nameOf(candidate), status })
      if (status === 200) answering = nameOf(candidate)
      if (echo) bodies.push(body)
    },
    metadata: () => (metadata ? write() : undefined),
    echoes() {
      const given = bodies
      bodies = []
      return given
    },
    told: (error) =>
      metadata ? { ...error, metadata: { ...error.metadata, openrouter_metadata: write() } } : error,
  }
}
