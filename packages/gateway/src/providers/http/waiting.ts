/** A call whose connection does not stand yet. What is asked of it meanwhile is done when it has one. */
import type { Answer, Exchange } from "./connection.ts"
import type { HttpRequest } from "./request.ts"

export class WaitingCall implements Exchange {
  readonly request: HttpRequest
  readonly answer: Answer
  readonly #givenUp: () => void
  #exchange: Exchange | undefined = undefined
  #paused = false

  constructor(request: HttpRequest, answer: Answer, givenUp: (call: WaitingCall) => void) {
    this.request = request
    this.answer = answer
    this.#givenUp = () => givenUp(this)
  }

  sentAs(exchange: Exchange): void {
    this.#exchange = exchange
    if (this.#paused) exchange.pause()
  }

  pause(): void {
    if (this.#exchange === undefined) this.#paused = true
    else this.#exchange.pause()
  }

  resume(): void {
    if (this.#exchange === undefined) this.#paused = false
    else this.#exchange.resume()
  }

  abort(): void {
    if (this.#exchange === undefined) this.#givenUp()
    else this.#exchange.abort()
  }
}
