// @ts-check
/**
 * The gateway over HTTP, as any client of it: what the page can do, a curl line can. The key travels in a header of
 * these requests and stands nowhere else.
 *
 * @typedef {ReturnType<typeof createGateway>} Gateway
 *
 * @typedef {object} Asked
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {object} [body]
 * @property {AbortSignal} [signal]
 */

/** @param {string} key */
export function createGateway(key) {
  return {
    ask,
    /** @param {string} path @param {Asked} [asked] */
    async json(path, asked) {
      return (await ask(path, asked)).json()
    },
  }

  /**
   * A good answer, or a Trouble.
   *
   * @param {string} path From the gateway's root, without a slash before it.
   * @param {Asked} [asked]
   * @returns {Promise<Response>}
   */
  async function ask(path, { method = "GET", headers = {}, body, signal } = {}) {
    /** @type {Response} */
    let response
    try {
      response = await fetch(new URL(path, document.baseURI), {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          // A key may have another dialect of its own; the page reads this one.
          "sluice-dialect": "openai",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        signal: signal ?? null,
      })
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw new Trouble("unreachable", "", error)
    }
    if (!response.ok) throw await refusal(response)
    return response
  }
}

/** An answer that is none, or no answer at all; `words.js` says it to people. */
export class Trouble extends Error {
  /**
   * @param {string} kind The gateway's own word (`invalid_api_key`, …), or `unreachable`.
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(kind, message, cause) {
    super(message, { cause })
    this.kind = kind
    this.status = 0
    /** Seconds. */
    this.retryAfter = 0
  }
}

/** @param {Response} response */
async function refusal(response) {
  const body = await response.json().catch(() => undefined)
  const { code, message } = body?.error ?? {}
  const text = typeof message === "string" ? message : `It answered with the status ${response.status}.`
  const trouble = new Trouble(typeof code === "string" ? code : "", text)
  trouble.status = response.status
  trouble.retryAfter = Number(response.headers.get("retry-after")) || 0
  return trouble
}

/**
 * Whether this can be a key at all: a header takes no other characters.
 *
 * @param {string} key
 */
export function canBeKey(key) {
  return /^[\x21-\x7e]{1,500}$/.test(key)
}
