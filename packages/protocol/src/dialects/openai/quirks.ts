/** OpenAI's dialect as other servers speak it: what they take otherwise, as data. */
import type { ChatRequest } from "../../request.ts"
import type { Accepted, PrefillMark, RequestRules } from "../compatible/request-rules.ts"
import { openaiRequest } from "./request.ts"

export interface RequestQuirks {
  /** Members that it refuses, or takes and does nothing about: left out, and listed as dropped. */
  readonly refuses?: readonly string[]
  /** The same, of a message. */
  readonly refusesInMessages?: readonly string[]
  /** Ours → its own: `{ seed: "random_seed" }`. Where both are sent, its own wins. */
  readonly names?: Readonly<Record<string, string>>
  /** `system` is what it calls `developer`. */
  readonly developerRole?: false
  /** No `strict` on functions and schemas. */
  readonly strict?: false
  /** It reports its usage unasked, and is not asked. */
  readonly streamOptions?: false
  /** What tells it to go on with the assistant's turn that a request ends with. */
  readonly prefill?: PrefillMark
}

export function withQuirks(quirks: RequestQuirks): RequestRules {
  const { refuses = [], refusesInMessages = [], names = {} } = quirks
  return {
    ...openaiRequest,
    members: but(openaiRequest.members, refuses),
    message: but(openaiRequest.message, refusesInMessages),
    developerRole: quirks.developerRole ?? openaiRequest.developerRole,
    strict: quirks.strict ?? openaiRequest.strict,
    ...(quirks.streamOptions === false ? { asksUsage: false } : {}),
    ...(quirks.prefill === undefined ? {} : { prefill: quirks.prefill }),
    prepare: (request) => inItsWords(request, names),
  }
}

function but(accepted: Accepted, names: readonly string[]): Accepted {
  if ("allBut" in accepted) return { allBut: new Set([...accepted.allBut, ...names]) }
  return { only: new Set([...accepted.only].filter((name) => !names.includes(name))) }
}

function inItsWords(request: ChatRequest, names: Readonly<Record<string, string>>): ChatRequest {
  const written: Record<string, unknown> = { ...request }
  for (const [ours, its] of Object.entries(names)) {
    written[its] ??= written[ours]
    delete written[ours]
  }
  return { ...written, messages: request.messages }
}
