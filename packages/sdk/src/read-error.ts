/** What other people's errors say, read forgivingly: whatever the body, an error of ours comes of it. */
import { isObject, numberOr, objectOr, stringOr } from "@sluice/protocol"
import {
  AuthenticationError,
  CancelledError,
  type ErrorDetails,
  InvalidRequestError,
  NotFoundError,
  PaymentRequiredError,
  PermissionDeniedError,
  ProviderError,
  RateLimitError,
  ServerError,
  type SluiceError,
  withoutUndefined,
} from "./errors.ts"
import { parseJson } from "./parse-json.ts"

/** An error answer (status ≥ 400), whatever its body: the systems' own shapes, HTML, or nothing at all. */
export function errorOfAnswer(status: number, body: string, details: ErrorDetails = {}): SluiceError {
  const told = readError(parseJson(body))
  const message = told.message ?? excerptOf(body) ?? "an error without a body"
  const all = {
    retryable: isRetryable(status),
    ...details,
    ...told.details,
    status,
  }
  return new (classOf(status))(`${status}: ${message}`, all)
}

/** An error inside a stream: a chunk's `error` member, or a bare `{"error": …}`. */
export function errorInBand(value: unknown): SluiceError {
  const { message = "The provider failed and did not say why.", details } = readError({ error: value })
  const all = { retryable: isRetryable(details.status ?? 502), ...details }
  return details.status === 499 || details.code === "cancelled"
    ? new CancelledError(message, all)
    : new ProviderError(message, all)
}

/** What came in place of an answer, in a word or two. */
export function natureOf(body: string): string {
  const start = body.trimStart()
  if (start === "") return "an empty body"
  if (start.startsWith("<")) return "HTML"
  return start.startsWith("{") || start.startsWith("[") ? "JSON" : "text"
}

/** The beginning of what came, for a message; undefined where there is nothing to show. */
export function excerptOf(text: string): string | undefined {
  const line = text.trim().replace(/\s+/g, " ")
  return line === "" ? undefined : line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/** OpenAI's, OpenRouter's, Atoma's and Orq's shapes, and `{message}`, `{detail}` of what stands in front of them. */
function readError(body: unknown): { message?: string; details: ErrorDetails } {
  const outer = objectOr(body)
  const error = isObject(outer["error"]) ? outer["error"] : {}
  const metadata = objectOr(error["metadata"])
  const message = [error["message"], outer["error"], outer["message"], outer["detail"]].find(isText)
  const word = [metadata["error_type"], error["code"], error["type"], outer["code"]].find(isText)
  const status = [error["code"], outer["code"], outer["status"]]
    .map(numberOr)
    .find((code) => code !== undefined)
  const details: ErrorDetails = {
    code: word,
    status,
    type: stringOr(error["type"]),
    param: stringOr(error["param"]),
    retryable: typeof metadata["retryable"] === "boolean" ? metadata["retryable"] : undefined,
  }
  return { message, details: withoutUndefined(details) }
}

function classOf(status: number): new (message: string, details: ErrorDetails) => SluiceError {
  if (status === 401) return AuthenticationError
  if (status === 402) return PaymentRequiredError
  if (status === 403) return PermissionDeniedError
  if (status === 404 || status === 410) return NotFoundError
  if (status === 429) return RateLimitError
  return status >= 500 ? ServerError : InvalidRequestError
}

function isRetryable(status: number): boolean {
  return [408, 409, 425, 429].includes(status) || (status >= 500 && status !== 501)
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}
