// @ts-check
/**
 * What has come of a stream, counted from its events alone: which ids over which connection, whether one was lost or
 * came twice, the text, the usage. Event n is expected behind event n − 1; nothing is believed of anybody.
 *
 * @typedef {object} Part The ids that one connection has brought.
 * @property {number} from
 * @property {number} to
 *
 * @typedef {object} Usage
 * @property {number} [prompt_tokens]
 * @property {number} [completion_tokens]
 * @property {number} [cost] US dollars, where the provider says so.
 *
 * @typedef {object} Piece What one event adds.
 * @property {string} text
 * @property {string} reasoning
 */

export function createTally() {
  const tally = {
    /** The newest id. */
    last: 0,
    lost: 0,
    twice: 0,
    /** @type {Part[]} */
    parts: [],
    text: "",
    reasoning: "",
    /** Events with text or reasoning. */
    pieces: 0,
    /** @type {number | undefined} */
    firstAt: undefined,
    /** @type {number | undefined} */
    lastAt: undefined,
    /** @type {Usage | undefined} */
    usage: undefined,
    /** @type {string | undefined} */
    finish: undefined,

    /** The next event comes over another connection. */
    reconnect() {
      isNewPart = true
    },

    /**
     * @param {number} id
     * @param {any} chunk A `chat.completion.chunk`.
     * @param {number} at Milliseconds.
     * @returns {Piece}
     */
    take(id, chunk, at) {
      if (id <= tally.last) {
        tally.twice++
        return NOTHING
      }
      tally.lost += id - tally.last - 1
      tally.last = id
      const part = tally.parts.at(-1)
      if (part === undefined || isNewPart) tally.parts.push({ from: id, to: id })
      else part.to = id
      isNewPart = false

      const choice = chunk.choices?.[0]
      const piece = {
        text: wordsOf(choice?.delta?.content) + wordsOf(choice?.delta?.refusal),
        reasoning: wordsOf(choice?.delta?.reasoning ?? choice?.delta?.reasoning_content),
      }
      tally.text += piece.text
      tally.reasoning += piece.reasoning
      tally.usage = chunk.usage ?? tally.usage
      tally.finish = choice?.finish_reason ?? tally.finish
      if (piece.text !== "" || piece.reasoning !== "") {
        tally.pieces++
        tally.firstAt ??= at
        tally.lastAt = at
      }
      return piece
    },
  }
  let isNewPart = false
  return tally
}

const NOTHING = { text: "", reasoning: "" }

/** @param {unknown} value */
function wordsOf(value) {
  return typeof value === "string" ? value : ""
}
