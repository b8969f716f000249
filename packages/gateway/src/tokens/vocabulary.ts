/**
 * The 199,998 tokens of o200k_base, in the order of their ranks, which is the order in which they are merged. The file
 * says how long each is, a byte for each, and then their bytes, one behind the other: 1.6 MB, which are looked into
 * where they lie. As a map of strings they took 80 MB and a quarter of a second to read.
 */
import { readFileSync } from "node:fs"

export interface Vocabulary {
  /** The rank of the token that these bytes are, or NONE. */
  rankOf(bytes: Uint8Array, from: number, to: number): number
  /** All of them. */
  readonly size: number
  token(rank: number): Uint8Array
}

/** Above every rank, so that the least rank of several is found without asking whether there is one. */
export const NONE = 0x7fff_ffff
/** The longest token's bytes. */
const LONGEST = 128
/** Two and a half for each token: a run of taken ones is short. */
const SLOTS = 1 << 19
const NOT_WHOLE = "The file of the vocabulary, o200k_base.bin, is not whole: install the package again."

export function readVocabulary(): Vocabulary {
  const file = readFileSync(new URL("./o200k_base.bin", import.meta.url))
  const size = file.readUInt32LE(0)
  const lengths = file.subarray(4, 4 + size)
  const bytes = file.subarray(4 + size)
  // With no slot free a look for one would not end.
  if (size >= SLOTS) throw new Error(NOT_WHOLE)
  const starts = new Uint32Array(size + 1)
  /** Rank + 1 at the slot that its bytes hash to, or at the next free one. */
  const slots = new Uint32Array(SLOTS)
  let start = 0
  for (let rank = 0; rank < size; rank++) {
    const end = start + lengths[rank]!
    let slot = slotOf(bytes, start, end)
    while (slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1)
    slots[slot] = rank + 1
    starts[rank + 1] = end
    start = end
  }
  if (start !== bytes.length) throw new Error(NOT_WHOLE)

  function rankOf(wanted: Uint8Array, from: number, to: number): number {
    if (to - from > LONGEST) return NONE
    for (let slot = slotOf(wanted, from, to); ; slot = (slot + 1) & (SLOTS - 1)) {
      const rank = slots[slot]! - 1
      if (rank < 0) return NONE
      const start = starts[rank]!
      if (starts[rank + 1]! - start === to - from && isSame(bytes, start, wanted, from, to)) return rank
    }
  }

  return { rankOf, size, token: (rank) => bytes.subarray(starts[rank], starts[rank + 1]) }
}

/** FNV-1a, folded so that its upper half counts too. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c_9dc5
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193)
  return (hash ^ (hash >>> 15)) & (SLOTS - 1)
}

function isSame(bytes: Uint8Array, start: number, wanted: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[start + at - from] !== wanted[at]) return false
  return true
}
