/**
 * An answer in a vendor's own types. What the server sent is read forgivingly and written by the vendor's dialect, as
 * a gateway writes it for that vendor's SDK. Where a server leaves out what the type calls required, the vendor's SDK
 * throws; here it is filled in: an id or a model that is missing is "", a time 0, an unknown finish reason `stop`.
 * Members that the dialect does not know are left out, as the vendor's SDK leaves them out.
 */
import { type Chunk, type Completion, type JsonObject, streamError, toSdk, toWire } from "@sluice/protocol"
import type { Dialect, ReadChunk, ReadCompletion } from "@sluice/protocol/dialects"
import { MalformedResponseError, type SluiceError } from "../errors.ts"
import { errorInBand } from "../read-error.ts"
import type { ChatCompletion } from "../shapes.ts"

/** What a vendor's caller is given: of a stream each item, of a call that does not stream the whole. */
export interface View<Item, Whole> {
  /** One per stream: a piece of a tool call may repeat what earlier ones said. */
  createItemWriter(): (chunk: Chunk) => Item
  whole(completion: ChatCompletion): Whole
}

/** The types are the vendor's, which the tests hold the dialect's writing to. */
export function viewOf<Item, Whole>(dialect: Dialect): View<Item, Whole> {
  return {
    createItemWriter() {
      const read = dialect.createChunkReader()
      const write = dialect.createChunkWriter()
      return (chunk) => asVendors<Item>(write(chunkOf(read(chunk))))
    },
    whole(completion) {
      const read = dialect.readCompletion(toWire(completion))
      return asVendors<Whole>(dialect.writeCompletion(completionOf(read)))
    },
  }
}

/** The same with a last touch: an envelope, a mark that the vendor's type has and the wire has not. */
export function mapView<From, Item, Whole>(
  view: View<From, Whole>,
  item: (from: From) => Item,
  whole: (from: Whole) => Whole = (from) => from,
): View<Item, Whole> {
  return {
    createItemWriter() {
      const write = view.createItemWriter()
      return (chunk) => item(write(chunk))
    },
    whole: (completion) => whole(view.whole(completion)),
  }
}

function asVendors<Type>(written: JsonObject): Type {
  return toSdk(written) as Type
}

function chunkOf(read: ReadChunk): Chunk {
  if (read.type === "chunk") return read.chunk
  throw failureOf(read)
}

function completionOf(read: ReadCompletion): Completion {
  if (read.type === "completion") return read.completion
  throw failureOf(read)
}

function failureOf(read: Exclude<ReadChunk, { type: "chunk" }>): SluiceError {
  if (read.type === "error") return errorInBand(streamError(read.error))
  const received = "an answer of the wrong shape"
  return new MalformedResponseError(`The server sent ${received}: ${read.reason}`, { received })
}
