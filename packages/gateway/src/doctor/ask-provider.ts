/** One provider, asked for its list of models: whether it is there, and what it thinks of the credential. */
import type { ProviderConfig, Secret } from "../config.ts"
import { knownProvider } from "../providers/known-providers.ts"
import { addressOf, keyFor } from "../providers/openai-compatible.ts"

export interface ProviderAnswer {
  readonly state: "good" | "notable" | "bad"
  readonly message: string
  readonly hint?: string
}

export async function askProvider(
  { name, kind, baseUrl }: Pick<ProviderConfig, "name" | "kind" | "baseUrl">,
  credential: Secret | undefined,
  within: number,
): Promise<ProviderAnswer> {
  const { host } = new URL(baseUrl)
  const door = knownProvider(kind)?.door
  const began = performance.now()
  try {
    const response = await fetch(addressOf(baseUrl, "/models", door), {
      headers: { accept: "application/json", ...keyFor(door, credential) },
      redirect: "manual",
      signal: AbortSignal.timeout(within),
    })
    await response.body?.cancel()
    const took = Math.round(performance.now() - began)
    return judge(response.status, host, credential !== undefined, took)
  } catch (error) {
    const reason = reasonOf(error, within)
    const hint = `Check the network, and the base_url of ${name}. Calls go to the next candidate meanwhile.`
    return { state: "bad", message: `${host} cannot be reached: ${reason}`, hint }
  }
}

export function judge(status: number, host: string, hasCredential: boolean, took: number): ProviderAnswer {
  const credential = hasCredential ? ", its credential is good" : ""
  if (status >= 200 && status < 300)
    return { state: "good", message: `${host} answers${credential} (${took} ms)` }
  if (status === 401 || status === 403) {
    const message = hasCredential
      ? `${host} refuses the credential (${status})`
      : `${host} wants a credential (${status})`
    return { state: "bad", message, hint: "Check the key it is configured with, and what that key may do." }
  }
  if (status === 404 || status === 405)
    return {
      state: "notable",
      message: `${host} answers, but has no list of models (${status}): the credential could not be tried`,
    }
  if (status === 429) return { state: "notable", message: `${host} answers that it is asked too often (429)` }
  if (status >= 300 && status < 400)
    return {
      state: "bad",
      message: `${host} answers with a redirect (${status}), which is never followed`,
      hint: "Give base_url the address that it leads to.",
    }
  return { state: "notable", message: `${host} answers with ${status}` }
}

/** The innermost reason: "fetch failed" says nothing. None of them holds a header. */
function reasonOf(error: unknown, within: number): string {
  if (error instanceof DOMException && error.name === "TimeoutError")
    return `no answer within ${within / 1_000} s`
  let reason = String(error)
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const code = "code" in cause ? String(cause.code) : ""
    reason = cause.message || code || reason
  }
  return reason
}
