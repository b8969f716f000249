/** What a call asked and was answered, word for word, because its key asks for that. */
import type { Gateway } from "./gateway.ts"
import type { Stream } from "./streams/stream.ts"
import { completionOf, readAll } from "./whole.ts"

export function keepContent({ books, log }: Gateway, stream: Stream, body: unknown): void {
  const answered = stream.openedNow?.ok === true ? readAll(stream) : undefined
  Promise.resolve(answered)
    .then((events) => {
      const answer = events === undefined ? null : JSON.stringify(completionOf(stream, events))
      const content = { request: JSON.stringify(body), answer }
      return books.store.contents.save(stream.id, content, Date.now() + books.keepContent)
    })
    .catch((error: unknown) => log(`the content of ${stream.id} could not be kept: ${error}`))
}
