/**
 * Errors as they stand on the wire, and the one table of them: kind → status, OpenAI's `type`, retryable.
 * A kind is the machine-readable word (`metadata.error_type`, at openai's mount `code`).
 */
import type { JsonObject } from "./json.ts"

/** Inside a stream: the last event of one that did not finish. */
export interface StreamError {
  /** The HTTP status that would have been sent, had the stream not begun. */
  code: number
  message: string
  type?: string
  param?: string | null
  metadata?: StreamErrorMetadata
}

export interface StreamErrorMetadata {
  error_type: string
  retryable?: boolean
  provider_code?: string | null
  readonly [member: string]: unknown
}

interface ErrorKindRow {
  readonly status: number
  readonly type: string
  readonly retryable: boolean
}

export const ERROR_KINDS = {
  invalid_request: { status: 400, type: "invalid_request_error", retryable: false },
  context_length_exceeded: { status: 400, type: "invalid_request_error", retryable: false },
  content_policy_violation: { status: 400, type: "invalid_request_error", retryable: false },
  invalid_api_key: { status: 401, type: "authentication_error", retryable: false },
  payment_required: { status: 402, type: "insufficient_quota", retryable: false },
  unpriced_model: { status: 402, type: "insufficient_quota", retryable: false },
  permission_denied: { status: 403, type: "permission_error", retryable: false },
  not_found: { status: 404, type: "invalid_request_error", retryable: false },
  model_not_found: { status: 404, type: "invalid_request_error", retryable: false },
  method_not_allowed: { status: 405, type: "invalid_request_error", retryable: false },
  request_timeout: { status: 408, type: "invalid_request_error", retryable: true },
  conflict: { status: 409, type: "invalid_request_error", retryable: true },
  events_dropped: { status: 410, type: "invalid_request_error", retryable: false },
  payload_too_large: { status: 413, type: "invalid_request_error", retryable: false },
  unsupported_media_type: { status: 415, type: "invalid_request_error", retryable: false },
  unprocessable: { status: 422, type: "invalid_request_error", retryable: false },
  idempotency_mismatch: { status: 422, type: "invalid_request_error", retryable: false },
  rate_limit_exceeded: { status: 429, type: "rate_limit_error", retryable: true },
  server: { status: 500, type: "server_error", retryable: true },
  not_implemented: { status: 501, type: "server_error", retryable: false },
  provider_error: { status: 502, type: "provider_error", retryable: true },
  provider_auth: { status: 502, type: "provider_error", retryable: false },
  provider_overloaded: { status: 503, type: "provider_error", retryable: true },
  timeout: { status: 504, type: "timeout_error", retryable: true },
  // How a stream ended that did not finish.
  gateway_shutdown: { status: 503, type: "server_error", retryable: true },
  interrupted: { status: 502, type: "server_error", retryable: true },
  cancelled: { status: 499, type: "cancelled", retryable: false },
  budget: { status: 502, type: "insufficient_quota", retryable: false },
} as const satisfies Record<string, ErrorKindRow>

export type ErrorKind = keyof typeof ERROR_KINDS

/** An error on its way to a client, before any dialect has written it. */
export interface WireError {
  readonly kind: ErrorKind | (string & {})
  readonly status: number
  /** OpenAI's `type`. */
  readonly type: string
  readonly message: string
  /** The request's member that is wrong: `messages[0].role`. */
  readonly param?: string
  readonly retryable: boolean
  /** Seconds. */
  readonly retryAfter?: number
  /** What else may be shown: `provider_name`, `provider_code`, … Never a secret. */
  readonly metadata?: JsonObject
}

export function wireError(
  kind: ErrorKind,
  message: string,
  more: {
    status?: number
    param?: string
    retryAfter?: number
    retryable?: boolean
    metadata?: JsonObject
  } = {},
): WireError {
  const row: ErrorKindRow = ERROR_KINDS[kind]
  return { kind, status: row.status, type: row.type, retryable: row.retryable, message, ...more }
}

/** The error member of a stream's last event, the same in every dialect. */
export function streamError(error: WireError): StreamError {
  return {
    code: error.status,
    message: error.message,
    type: error.type,
    metadata: { ...error.metadata, error_type: error.kind, retryable: error.retryable },
  }
}

/** The kind that a bare HTTP status speaks of: for reading other people's errors. */
export function kindOfStatus(status: number): ErrorKind {
  switch (status) {
    case 400:
      return "invalid_request"
    case 401:
      return "invalid_api_key"
    case 402:
      return "payment_required"
    case 403:
      return "permission_denied"
    case 404:
      return "not_found"
    case 405:
      return "method_not_allowed"
    case 408:
      return "request_timeout"
    case 409:
      return "conflict"
    case 410:
      return "events_dropped"
    case 413:
      return "payload_too_large"
    case 415:
      return "unsupported_media_type"
    case 422:
      return "unprocessable"
    case 429:
      return "rate_limit_exceeded"
    case 501:
      return "not_implemented"
    case 503:
    case 529:
      return "provider_overloaded"
    case 504:
    case 524:
      return "timeout"
    default:
      return status >= 500 ? (status === 502 ? "provider_error" : "server") : "invalid_request"
  }
}
