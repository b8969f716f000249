/** A stream as a vendor's caller knows it, over ours. */
import type { ChatStream } from "../stream.ts"
import type { View } from "./view.ts"

/**
 * Iterated, it gives the vendor's item under the vendor's type. It is a `ReadableStream` because the streams of the
 * vendors' SDKs are, and their callers tell by it a stream from a whole answer. What goes beyond them are `final()`,
 * `text()`, a `cancel()` that also works within the loop, and under `stream` everything else.
 */
export class VendorStream<Item, Whole> extends ReadableStream<Item> {
  /** The same stream under our own types: `wire()`, `toolCalls()`, `detach()`, … It is read once, in one form. */
  readonly stream: ChatStream
  readonly #items: () => AsyncIteratorObject<Item, undefined>
  readonly #view: View<Item, Whole>

  constructor(stream: ChatStream, view: View<Item, Whole>) {
    const items = () => itemsOf(stream, view)
    let reading: AsyncIteratorObject<Item, undefined> | undefined
    super(
      {
        async pull(controller) {
          reading ??= items()
          const { done, value } = await reading.next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: () => stream.cancel(),
      },
      { highWaterMark: 0 },
    )
    this.stream = stream
    this.#items = items
    this.#view = view
  }

  override [Symbol.asyncIterator](): AsyncIteratorObject<Item, undefined> {
    return this.#items()
  }

  /** The text of the first choice, piece by piece. */
  text(): AsyncGenerator<string, void, undefined> {
    return this.stream.text()
  }

  /** The whole answer, with usage where it was asked for: reads what is left. */
  async final(): Promise<Whole> {
    return this.#view.whole(await this.stream.final())
  }

  /** Ends the call: tells a Sluice gateway, then closes. */
  override cancel(): Promise<void> {
    return this.stream.cancel()
  }
}

async function* itemsOf<Item>(
  stream: ChatStream,
  view: View<Item, unknown>,
): AsyncGenerator<Item, undefined> {
  const write = view.createItemWriter()
  for await (const chunk of stream.wire()) yield write(chunk)
}
