/** `docs/errors.md`: the table of errors for people. What each means is written here, and no kind can be forgotten. */
import { ERROR_KINDS, type ErrorKind } from "@sluice/protocol"

interface Meaning {
  readonly happened: string
  readonly todo: string
}

const MEANINGS: Readonly<Record<ErrorKind, Meaning>> = {
  invalid_request: {
    happened: "A member, header or query is wrong, or the provider refuses the request (400).",
    todo: "Mend what `param` and the message name. It will fail again as it stands.",
  },
  context_length_exceeded: {
    happened:
      "The prompt is longer than the model takes; every candidate said so, since one with a longer context is asked next.",
    todo: "Shorten the prompt, or give the route a candidate with a longer context.",
  },
  content_policy_violation: {
    happened: "The provider refuses the content (400).",
    todo: "Another candidate is not asked behind your back: change the prompt or the model.",
  },
  invalid_api_key: {
    happened:
      "No key, or one that is unknown, disabled, expired, rotated or deleted; the message says which.",
    todo: "Send a key of this gateway. A provider's key that is refused is never told as 401: see `provider_auth`.",
  },
  payment_required: {
    happened:
      "The key's budget, or its project's, does not cover the most that this call may cost; the message has the amounts.",
    todo: "Lower `max_tokens`, wait for the time that the message names, or raise the budget (`PATCH /admin/keys/{id}`).",
  },
  unpriced_model: {
    happened: "The key has a budget, and nobody knows what this model costs.",
    todo: "Give it a price under `prices:`, or set `unpriced: allow` ([prices.md](prices.md)).",
  },
  permission_denied: {
    happened:
      "The key may not do this: the model, the provider, `detach`, or `/admin`. On loopback also a foreign `Host` or `Origin`.",
    todo: "Change the key's settings or use another; for pages of other origins see `server.cors`.",
  },
  not_found: {
    happened:
      "No such path; or no such stream for this key: never there, another key's, or past `streams.keep`.",
    todo: "Check the path's mount. A stream that is gone cannot come back: begin the call anew.",
  },
  model_not_found: {
    happened: "No route and no provider of this name; or the provider does not know the model (404).",
    todo: "`GET /v1/models` lists what there is; `provider/model` asks one provider directly.",
  },
  method_not_allowed: {
    happened: "The path takes another method.",
    todo: "Use the one that the message names.",
  },
  request_timeout: {
    happened: "Sluice itself does not answer this; clients read it from other servers (408).",
    todo: "Try again.",
  },
  conflict: {
    happened:
      "At `/admin`, and not retryable there: what is there does not allow it, such as deleting a project that has keys. Other servers mean what may pass (409).",
    todo: "Remove what the message names first.",
  },
  events_dropped: {
    happened: "The stream is yours, but its oldest events went (`streams.max_bytes`, `total_bytes`).",
    todo: "Resume from `metadata.oldest_event_id` − 1 on, or accept the loss; raise `streams.max_bytes`.",
  },
  payload_too_large: {
    happened: "The body is larger than `server.body_limit`, or than the provider takes (413).",
    todo: "Send less, or raise the limit.",
  },
  unsupported_media_type: {
    happened: "The body is not `application/json`, or it is compressed.",
    todo: "Send plain JSON with `Content-Type: application/json`.",
  },
  unprocessable: {
    happened: "The provider understood the request and refuses it (422).",
    todo: "Mend what the message names.",
  },
  idempotency_mismatch: {
    happened: "This `Idempotency-Key` began a call with another body.",
    todo: "A new key for a new request.",
  },
  rate_limit_exceeded: {
    happened:
      "The key's limit of requests, tokens or calls at a time; or every candidate's provider says 429.",
    todo: "Wait for `Retry-After`; `x-ratelimit-*` say how far the key's limits are used.",
  },
  server: {
    happened:
      "Sluice failed: a defect, its database (then 503; a key without limits notices after a second), or its journal cannot be written (then 503 before a stream, 500 within).",
    todo: "Try again; the log line with the `x-request-id` says why. `/readyz` tells of the journal.",
  },
  not_implemented: {
    happened: "A known path that Sluice does not serve yet.",
    todo: "Ask the vendor directly for it.",
  },
  provider_error: {
    happened:
      "The provider failed (5xx), broke the connection, redirected, or sent what is no chat completion; no candidate was left, or content had been sent.",
    todo: "Try again. `sluice-attempts` says how many were asked; a route with a second candidate helps before the first content.",
  },
  provider_auth: {
    happened: "A provider refused this gateway's credential (401, 402, 403). Yours is fine.",
    todo: "Tell whoever runs the gateway: the provider's `credential` is wrong, empty or out of money.",
  },
  provider_overloaded: {
    happened: "The provider says that it is overloaded (503, 529).",
    todo: "Wait for `Retry-After`, then try again.",
  },
  timeout: {
    happened:
      "One of the four timers ran out, or the provider says so itself (408, 504); `metadata.timer` names it: `connect`, `first_content`, `idle`, `total`.",
    todo: "Try again, or give the route longer `timers`.",
  },
  gateway_shutdown: {
    happened: "The gateway stops: a new call is refused, and one that ran past `server.drain` was cut.",
    todo: "Try again: another process, or the next one, answers.",
  },
  interrupted: {
    happened: "The gateway died while the stream ran; the next start found it, and what it had sent is kept.",
    todo: "Read what there is, and begin the call anew.",
  },
  cancelled: {
    happened:
      "The client cancelled the call, or left it without a `sluice-on-disconnect` that lets it go on.",
    todo: "Nothing, if you meant it. Otherwise send `sluice-on-disconnect: drain:60`.",
  },
  budget: {
    happened: "The answer outgrew what the key may still spend, and was ended.",
    todo: "Set `max_tokens`, so that the whole answer is reserved before it begins; or raise the budget.",
  },
}

export function errorsPage(): string {
  const rows = Object.entries(ERROR_KINDS).map(([kind, { status, type, retryable }]) => {
    const { happened, todo } = MEANINGS[kind as ErrorKind]
    return `| \`${kind}\` | ${status} | \`${type}\` | ${retryable ? "yes" : "no"} | ${happened} | ${todo} |`
  })
  return `${INTRODUCTION}${rows.join("\n")}\n${AFTERWORD}`
}

const INTRODUCTION = `<!-- Made by \`npm run generate\` from packages/protocol/src/error.ts and scripts/errors-page.ts: change it there. -->
# Errors

Every error has a kind, one of the words in the table. It comes in one of two ways.

**Before the stream** it is an HTTP error: the status of the table and a JSON body. At \`/v1\` it has OpenAI's form, and the
kind is \`code\`; at the other mounts \`code\` is the status, as those SDKs want it, and the kind is \`metadata.error_type\`.
\`type\`, \`message\` and \`param\` are the same at all of them.

\`\`\`sh
curl -i http://127.0.0.1:4000/v1/chat/completions \\
  -H "authorization: Bearer $SLUICE_API_KEY" -H "content-type: application/json" \\
  -d '{"model": "nobody/nothing", "messages": [{"role": "user", "content": "Hello"}]}'
\`\`\`

\`\`\`text
HTTP/1.1 404 Not Found
…
{"error":{"message":"…","type":"invalid_request_error","param":"model","code":"model_not_found"}}
\`\`\`

\`\`\`sh
curl -i http://127.0.0.1:4000/openrouter/api/v1/chat/completions \\
  -H "authorization: Bearer $SLUICE_API_KEY" -H "content-type: application/json" \\
  -d '{"model": "nobody/nothing", "messages": [{"role": "user", "content": "Hello"}]}'
\`\`\`

\`\`\`text
HTTP/1.1 404 Not Found
…
{"error":{"message":"…","type":"invalid_request_error","param":"model","code":404,"metadata":{"error_type":"model_not_found","retryable":false}}}
\`\`\`

**Within a stream**, when the status has been sent, it is the last event, and no \`[DONE]\` follows it. Its form is the same in
every dialect: \`code\` is the status that it would have been, \`metadata.error_type\` the kind.

\`\`\`sh
curl -N http://127.0.0.1:4000/v1/chat/completions \\
  -H "authorization: Bearer $SLUICE_API_KEY" -H "content-type: application/json" \\
  -d '{"model": "sim/story:error_at=4", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}'
\`\`\`

\`\`\`text
…
id: 5
data: {…"error":{"code":502,"message":"The simulator failed, as it was told to.","type":"provider_error","metadata":{…"error_type":"provider_error","retryable":true}}}
\`\`\`

What an SDK makes of that is in [resume.md](resume.md#what-an-sdk-sees). \`retryable\` says whether the same call may well
succeed later. \`@sluice/sdk\` and its \`error.retryable\` go by it, and try again by themselves where nothing has been
answered yet. 429 and 503 carry \`Retry-After\` in seconds; every answer has an \`x-request-id\`.

## The kinds

| kind | status | type | retryable | what happened | what to do |
|---|--:|---|---|---|---|
`

const AFTERWORD = `
A provider's own error keeps its status where the table has several for a kind, and says in \`metadata\` who it was
(\`provider_name\`), what it answered (\`provider_status\`) and its own word for it (\`provider_code\`). Its message is shown in one line
of at most 500 characters, with everything masked that looks like a credential.

Which failures of a provider are told at all: only those of the last candidate, or those after the first content. Before that
the next candidate is asked, after anything but 400, 413 and 422 (a context that is too long excepted).
`
