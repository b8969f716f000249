/**
 * `GET /`: a first look. A page of static files, read once at the start; there is no build step, so what is served is
 * what stands in this folder. It needs no key, and holds nothing: what it shows it asks for with the user's.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { extname } from "node:path"
import type { Call } from "../call.ts"

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
}

/**
 * Nothing but this gateway's own files runs, is shown or is asked, and nothing that a model says can become a script:
 * `trusted-types 'none'` leaves the page no way to make HTML from text, even by mistake.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ")

/** Serves one file of this folder. */
export function firstLook(file: string): (call: Call) => void {
  const bytes = readFileSync(new URL(file, import.meta.url))
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"`
  const headers = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    // The names are the same in every version: a browser asks each time, and is told when it has the file already.
    "cache-control": "no-cache",
    etag,
  }
  const about = { ...headers, "content-type": TYPES[extname(file)] ?? "", "content-length": bytes.length }

  return ({ request, response, requestId }) => {
    const isKnown = holds(request.headers["if-none-match"], etag)
    response.writeHead(isKnown ? 304 : 200, { ...(isKnown ? headers : about), "x-request-id": requestId })
    response.end(isKnown ? undefined : bytes)
  }
}

/** A proxy that compresses makes an etag weak (`W/`); for this comparison that does not matter. */
function holds(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(/, */).some((known) => known.replace(/^W\//, "") === etag) === true
}
