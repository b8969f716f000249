/**
 * Errors as anybody writes them → one WireError. Bodies of OpenAI, OpenRouter, Atoma, r9s, Orq (`{code, error}`),
 * FastAPI (`{detail}`), Google (an array), proxies (HTML, text, nothing). Nothing here throws, and no credential
 * gets through.
 */
import { ERROR_KINDS, type ErrorKind, kindOfStatus, type WireError, wireError } from "../../error.ts"
import { isObject, type JsonObject, numberOr, objectOr, stringOr } from "../../json.ts"
import { readFinish } from "./finish.ts"
import { maskSecrets } from "./mask.ts"
import { wordOr } from "./members.ts"

/** An error answer, whatever its body. */
export function readError(status: number, body: string): WireError {
  const real = status >= 400 && status <= 599 ? status : 502
  const parsed = parse(body)
  if (typeof parsed !== "object" || parsed === null)
    return fromText(real, typeof parsed === "string" ? parsed : body)
  return fromJson(parsed, real)
}

/**
 * What a 200 says when it is no answer: `error` in a chunk or in place of one, in a choice, or a finish reason
 * that means failure. Undefined when nothing failed.
 */
export function readFailure(value: JsonObject): WireError | undefined {
  if (value["error"]) return fromJson(value)
  const choices = value["choices"]
  if (Array.isArray(choices)) {
    for (const choice of choices.filter(isObject)) {
      if (choice["error"]) return fromJson(choice)
      if (readFinish(choice["finish_reason"]).reason === "error") {
        return wireError(
          "provider_error",
          `the provider ended with finish_reason "${choice["finish_reason"]}"`,
        )
      }
    }
    return undefined
  }
  const bare = value["object"] === "error" || "message" in value || "detail" in value
  return bare ? fromJson(value) : undefined
}

const LONGEST_MESSAGE = 500
/** Masking comes before trimming, so that no half of a key is left; this bounds its work. */
const LONGEST_SEARCHED = 20_000
const LONGEST_STRIPPED = 5_000

function fromJson(body: object, status?: number): WireError {
  const { error, message } = findError(body)
  const metadata = objectOr(error["metadata"])
  const code = codeOf(error, metadata)
  const said = status ?? statusOf(error)
  const kind = kindOf(said, message, code, stringOr(error["type"]))
  const row = ERROR_KINDS[kind]
  const real = said ?? row.status

  const shown = show(message) ?? `the provider answered ${real} without a message`
  const param = wordOr(error["param"])
  const retryAfter = retryAfterOf(error, metadata)
  const provider = wordOr(metadata["provider_name"])
  return wireError(kind, shown, {
    status: real,
    retryable: !NEVER_AGAIN.has(code?.toLowerCase() ?? "") && (row.retryable || RETRYABLE_STATUSES.has(real)),
    ...(param === undefined ? {} : { param: show(param) }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    metadata: {
      ...(code === undefined ? {} : { provider_code: show(code) }),
      ...(provider === undefined ? {} : { provider_name: show(provider) }),
    },
  })
}

/** HTML's title, plain text as it is, or a sentence for nothing. */
function fromText(status: number, body: string): WireError {
  const text = body.slice(0, LONGEST_SEARCHED)
  const readable = /^\s*</.test(text) ? titleOf(text) : text
  const message =
    show(readable) ??
    `the provider answered ${status} with ${body.trim() === "" ? "an empty body" : "a page without text"}`
  const kind = kindOf(status, message)
  return wireError(kind, message, {
    status,
    retryable: ERROR_KINDS[kind].retryable || RETRYABLE_STATUSES.has(status),
  })
}

/** Locked, and too early: nothing of the request is wrong. */
const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([423, 425])

/** OpenAI says 429 for an empty purse; waiting does not fill it. */
const NEVER_AGAIN: ReadonlySet<string> = new Set(["insufficient_quota", "billing_hard_limit_reached"])

/** The machine's words, of all systems, lower case. Status numbers say the rest. */
const KINDS: ReadonlyMap<string, ErrorKind> = new Map(
  Object.entries({
    context_length_exceeded:
      "context_length_exceeded string_above_max_length token_limit_exceeded max_tokens_exceeded",
    content_policy_violation:
      "content_policy_violation content_filter content_policy refusal moderation_blocked responsibleaipolicyviolation",
    invalid_api_key: "invalid_api_key authentication authentication_error auth_error unauthenticated",
    payment_required: "payment_required balance_error insufficient_balance",
    permission_denied: "permission_denied permission_error region_restricted",
    model_not_found: "model_not_found model_deprecated no_endpoints",
    rate_limit_exceeded:
      "rate_limit_exceeded rate_limit_error rate_limit too_many_requests resource_exhausted insufficient_quota billing_hard_limit_reached",
    payload_too_large: "payload_too_large",
    provider_overloaded:
      "provider_overloaded overloaded_error overloaded service_unavailable unavailable capacity_exhausted temporarily_unavailable",
    timeout: "timeout timeout_error deadline_exceeded",
    server: "server server_error internal_error internal_server_error api_error",
  } satisfies Partial<Record<ErrorKind, string>>).flatMap(([kind, words]) =>
    words.split(" ").map((word): [string, ErrorKind] => [word, kind as ErrorKind]),
  ),
)

/** What no status number says, so that the word overrules it: xAI answers 400 to a wrong key, say. */
const MORE_THAN_STATUS: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  "context_length_exceeded",
  "content_policy_violation",
  "model_not_found",
  "invalid_api_key",
])

const TOO_LONG =
  /context.{0,20}(?:length|window|size)|maximum (?:context|prompt|input) length|prompt is too long|(?:input|prompt) (?:is too long|exceeds)|too many input tokens|reduce the length of (?:the|your)/i
const NO_SUCH_MODEL = /model\b.{0,200}\b(?:does not exist|not found|not exist|is not available)/i
/** Where the sentence may speak of them: a 429 that mentions tokens is about speed. */
const OF_TOO_LONG: ReadonlySet<number | undefined> = new Set([400, 413, 422, undefined])
const OF_NO_SUCH_MODEL: ReadonlySet<number | undefined> = new Set([400, 404, undefined])

function kindOf(status: number | undefined, message: string, code = "", type = ""): ErrorKind {
  const word = KINDS.get(code.toLowerCase()) ?? KINDS.get(type.toLowerCase())
  if (word !== undefined && (status === undefined || MORE_THAN_STATUS.has(word))) return word
  const searched = message.slice(0, LONGEST_SEARCHED)
  if (OF_TOO_LONG.has(status) && TOO_LONG.test(searched)) return "context_length_exceeded"
  if (OF_NO_SUCH_MODEL.has(status) && NO_SUCH_MODEL.test(searched)) return "model_not_found"
  return kindOfStatus(status ?? 502)
}

/** A number, or one as text, that is an HTTP error status. */
function statusOf(error: JsonObject): number | undefined {
  for (const name of ["code", "status", "http_status"]) {
    const number = numberOr(error[name])
    if (number !== undefined && Number.isInteger(number) && number >= 400 && number <= 599) return number
  }
  return undefined
}

function codeOf(error: JsonObject, metadata: JsonObject): string | undefined {
  return (
    wordsOf(error["code"]) ??
    wordsOf(metadata["error_type"]) ??
    wordsOf(error["error_type"]) ??
    wordsOf(error["status"])
  )
}

/** A code in words: numbers are statuses. */
function wordsOf(value: unknown): string | undefined {
  return numberOr(value) === undefined ? wordOr(value) : undefined
}

/** The object that holds `code` and `type`, and the sentence for humans, which may stand deeper. */
function findError(body: object): { error: JsonObject; message: string } {
  const outer: JsonObject = Array.isArray(body) ? objectOr(body[0]) : { ...body }
  const inner = outer["error"]
  // Orq's `{code, error: "…"}`: the sentence is the error's, the code its neighbour's.
  const error = isObject(inner) ? inner : outer
  const raw = rawMessage(error)
  const message = sentenceOf(isObject(inner) ? inner : (inner ?? outer), 0)
  return {
    error,
    message: raw !== undefined && raw !== message ? [message, raw].filter(Boolean).join(": ") : message,
  }
}

/** OpenRouter says "Provider returned error" and keeps what was said in `metadata.raw`. */
function rawMessage(error: JsonObject): string | undefined {
  const raw = wordOr(objectOr(error["metadata"])["raw"])
  if (raw === undefined) return undefined
  const parsed = parse(raw)
  return parsed === undefined ? raw : wordOr(sentenceOf(parsed, 0))
}

const SENTENCES = [
  "message",
  "error",
  "detail",
  "error_description",
  "msg",
  "title",
  "errors",
  "reason",
] as const
const DEEPEST = 4

/** The first sentence found; FastAPI's list of faults becomes one line. */
function sentenceOf(value: unknown, depth: number): string {
  if (typeof value === "string") return value
  if (depth > DEEPEST) return ""
  if (Array.isArray(value)) {
    return value
      .slice(0, 5)
      .map((fault) => {
        const place = objectOr(fault)["loc"]
        const sentence = sentenceOf(fault, depth + 1)
        return Array.isArray(place) && sentence !== ""
          ? `${place.map(String).join(".")}: ${sentence}`
          : sentence
      })
      .filter((sentence) => sentence !== "")
      .join("; ")
  }
  if (!isObject(value)) return ""
  for (const name of SENTENCES) {
    const sentence = sentenceOf(value[name], depth + 1)
    if (sentence !== "") return sentence
  }
  return ""
}

function retryAfterOf(error: JsonObject, metadata: JsonObject): number | undefined {
  const places = [
    objectOr(error["availability"])["retry_after"],
    metadata["retry_after"],
    metadata["retry_after_seconds"],
    error["retry_after"],
  ]
  const seconds = places.map(numberOr).find((number) => number !== undefined && number >= 0)
  return seconds === undefined ? undefined : Math.ceil(seconds)
}

function titleOf(html: string): string {
  const title = /<title[^>]{0,200}>([^<]{1,2000})/i.exec(html) ?? /<h1[^>]{0,200}>([^<]{1,2000})/i.exec(html)
  if (title?.[1]) return title[1]
  const start = html.slice(0, LONGEST_STRIPPED)
  return start.replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, " ").replace(/<[^>]{0,500}>/g, " ")
}

/** Masked, on one line, trimmed; undefined when nothing is left. */
function show(text: string): string | undefined {
  const line = maskSecrets(text.slice(0, LONGEST_SEARCHED)).replace(/\s+/g, " ").trim()
  if (line === "") return undefined
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE - 1)}…` : line
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
