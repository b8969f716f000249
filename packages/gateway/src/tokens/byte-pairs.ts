/**
 * o200k_base: text is cut into pieces, words by and large, and of each piece's bytes the two neighbours that make the
 * token of the least rank are merged until no two make one.
 */
import { NONE, type Vocabulary } from "./vocabulary.ts"

/** The parts of a piece. Valid until the next piece is merged. */
export interface Merged {
  readonly count: number
  /** Where each part begins, and behind the last its end. */
  readonly starts: Int32Array
  readonly bytes: Uint8Array
}

/** Quadratic in the piece's length: give it none of more than some thousand characters. */
export function createMerger(vocabulary: Vocabulary): (piece: string) => Merged {
  let bytes = new Uint8Array(0)
  let starts = new Int32Array(0)
  /** What each part and the next would make. */
  let ranks = new Int32Array(0)

  function makeRoom(length: number): void {
    if (length <= bytes.length) return
    bytes = new Uint8Array(length)
    starts = new Int32Array(length + 1)
    ranks = new Int32Array(length + 1)
  }

  function rankAt(part: number, count: number): number {
    return part + 1 < count ? vocabulary.rankOf(bytes, starts[part]!, starts[part + 2]!) : NONE
  }

  return (piece) => {
    makeRoom(piece.length * 3)
    const length = encoder.encodeInto(piece, bytes).written
    if (vocabulary.rankOf(bytes, 0, length) !== NONE) {
      starts[0] = 0
      starts[1] = length
      return { count: 1, starts, bytes }
    }
    let count = length
    for (let part = 0; part <= count; part++) starts[part] = part
    for (let part = 0; part < count; part++) ranks[part] = rankAt(part, count)
    for (;;) {
      let least = NONE
      let at = 0
      for (let part = 0; part < count; part++) {
        if (ranks[part]! >= least) continue
        least = ranks[part]!
        at = part
      }
      if (least === NONE) return { count, starts, bytes }
      starts.copyWithin(at + 1, at + 2, count + 1)
      ranks.copyWithin(at + 1, at + 2, count)
      count -= 1
      ranks[at] = rankAt(at, count)
      if (at > 0) ranks[at - 1] = rankAt(at - 1, count)
    }
  }
}

const encoder = new TextEncoder()

const MARK = "[^\\r\\n\\p{L}\\p{N}]?"
const UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
const LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
const SUFFIX = "(?:'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD]))?"
const SPACE = "\\p{White_Space}"

/** The encoding's own pattern. White space is Unicode's, which JavaScript's \s is not quite. */
export const PIECES = new RegExp(
  [
    `${MARK}${UPPER}*${LOWER}+${SUFFIX}`,
    `${MARK}${UPPER}+${LOWER}*${SUFFIX}`,
    "\\p{N}{1,3}",
    ` ?[^${SPACE}\\p{L}\\p{N}]+[\\r\\n/]*`,
    `${SPACE}*[\\r\\n]+`,
    `${SPACE}+(?![^${SPACE}])`,
    `${SPACE}+`,
  ].join("|"),
  "gu",
)
