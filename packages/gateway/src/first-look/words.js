// @ts-check
/** What went wrong, and what to do about it, in words. */

/** @typedef {{ kind: string, message: string, status: number, retryAfter: number }} Told */

/** @param {Told} trouble */
export function inWords({ kind, message, status, retryAfter }) {
  const advice = ADVICE[kind] ?? (retryAfter > 0 ? `Try again in ${seconds(retryAfter)}.` : "")
  const told = kind === "unreachable" ? "The gateway does not answer." : message
  return [told, advice || (status >= 500 ? "Try again in a moment." : "")].filter(Boolean).join(" ")
}

const WHERE_A_KEY_IS =
  "Paste the key that 'npm start' printed (it also stands in sluice-data/dev-key), or the one it was given as SLUICE_API_KEY."

/** @type {Record<string, string>} */
const ADVICE = {
  unreachable: "See whether it is still running, and start it with 'npm start'.",
  invalid_api_key: WHERE_A_KEY_IS,
  model_not_found: "Choose a model from the list, or write its name as provider/model.",
  payment_required: "Give the key a larger budget, or use another one.",
  unpriced_model: "Give the model a price in sluice.yaml, or use a key without a budget.",
  events_dropped: "Send it again.",
  gateway_shutdown: "Start the gateway again; what had been written is kept in its journal.",
  interrupted: "Send it again.",
  provider_auth: "See to the provider's credential in sluice.yaml or the environment.",
}

export const NO_KEY = `This needs a key. ${WHERE_A_KEY_IS}`
export const NOT_A_KEY = "That cannot be a key: it has a space or a character that no header takes."

/** @param {number} count */
function seconds(count) {
  return count === 1 ? "a second" : `${Math.ceil(count)} seconds`
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  return milliseconds < 10_000 ? `${whole(milliseconds)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`
}

const NUMBER = new Intl.NumberFormat("en")

/** @param {number} number */
export function whole(number) {
  return NUMBER.format(Math.round(number))
}

/**
 * Exact to the nano-dollar, never through a float.
 *
 * @param {bigint} nano
 */
export function dollars(nano) {
  const digits = nano.toString().padStart(10, "0")
  const fraction = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0")
  return `$${digits.slice(0, -9).replace(/\B(?=(\d{3})+$)/g, ",")}.${fraction}`
}
