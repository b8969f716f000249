/** What other people's errors say, read forgivingly: whatever the body, an error of ours comes of it. */
import { numberOr, objectOr, stringOr } from "@sluice/protocol"
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
  const { message = excerptOf(body) || "an error without a body", ...told } = readError(parseJson(body))
  const all = { retryable: isRetryable(status), ...details, ...told, status }
  return new (CLASSES[status] ?? (status < 500 ? InvalidRequestError : ServerError))(
    `${status}: ${message}`,
    all,
  )
}

/** An error inside a stream: a chunk's `error` member, or a bare `{"error": …}`. */
export function errorInBand(value: unknown): SluiceError {
  const { message = "The provider failed and did not say why.", ...told } = readError({ error: value })
  const isCancelled = told.status === 499 || told.code === "cancelled"
  const details = { retryable: isRetryable(told.status ?? 502), ...told }
  return new (isCancelled ? CancelledError : ProviderError)(message, details)
}

/** What came in place of an answer, in a word or two. */
export function natureOf(body: string): string {
  const start = body.trimStart()[0]
  if (start === undefined) return "an empty body"
  return start === "<" ? "HTML" : "{[".includes(start) ? "JSON" : "text"
}

/** The beginning of what came, for a message. */
export function excerptOf(text: string): string {
  const line = text.trim().replace(/\s+/g, " ")
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/** OpenAI's, OpenRouter's, Atoma's and Orq's shapes, and `{message}`, `{detail}` of what stands in front of them. */
function readError(body: unknown): ErrorDetails & { message?: string } {
  const outer = objectOr(body)
  const error = objectOr(outer["error"])
  const { error_type, retryable } = objectOr(error["metadata"])
  return withoutUndefined({
    message: [error["message"], outer["error"], outer["message"], outer["detail"]].find(isText),
    code: [error_type, error["code"], error["type"], outer["code"]].find(isText),
    status: numberOr(error["code"]) ?? numberOr(outer["code"]) ?? numberOr(outer["status"]),
    type: stringOr(error["type"]),
    param: stringOr(error["param"]),
    retryable: typeof retryable === "boolean" ? retryable : undefined,
  })
}

const CLASSES: Readonly<Record<number, new (message: string, details: ErrorDetails) => SluiceError>> = {
  401: AuthenticationError,
  402: PaymentRequiredError,
  403: PermissionDeniedError,
  404: NotFoundError,
  410: NotFoundError,
  429: RateLimitError,
}

function isRetryable(status: number): boolean {
  return [408, 409, 425, 429].includes(status) || (status >= 500 && status !== 501)
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}
