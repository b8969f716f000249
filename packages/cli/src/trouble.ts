/** What went wrong, for a person: what, where, and what to do about it, in one line. */
import {
  AuthenticationError,
  ConnectionError,
  MalformedResponseError,
  PermissionDeniedError,
  RateLimitError,
  type SluiceError,
  StreamInterruptedError,
} from "@sluice/sdk"
import type { Connection } from "./connection.ts"

export function explainError(error: SluiceError, { root, keyFrom }: Connection): string {
  const said = sentence(error.message)
  const request = error.requestId === undefined ? "" : ` (request ${error.requestId})`
  if (error instanceof ConnectionError)
    return `${root} cannot be reached: ${reasonOf(error)}. Start a gateway there ('sluice serve'), or name another with --url.`
  if (error instanceof AuthenticationError)
    return `${root} refused the key from ${keyFrom}: ${said}${request} Name another with --key-file or the environment.`
  if (error instanceof PermissionDeniedError)
    return `${root} does not let the key from ${keyFrom} do this: ${said}${request}`
  if (error instanceof MalformedResponseError)
    return `${root} is no Sluice gateway, or something stands before it: ${said} Check --url.`
  if (error instanceof StreamInterruptedError) return `${said}${request}`
  if (error instanceof RateLimitError && error.retryAfterMs !== undefined)
    return `${said} Try again in ${Math.ceil(error.retryAfterMs / 1_000)} s.${request}`
  return `${said}${request}`
}

/** The innermost reason: "fetch failed" says nothing. */
function reasonOf(error: Error): string {
  let { message } = error
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? String(cause.code) : ""
    message = cause.message || code || message
  }
  return message.replace(/\.$/, "")
}

function sentence(text: string): string {
  const line = text.trim().replace(/\s+/g, " ")
  return /[.!?]$/.test(line) ? line : `${line}.`
}
