/** A call whose connection does not stand yet. What is asked of it meanwhile is done when it has one. */
import type { Answer, Exchange } from "./connection.ts"
import type { HttpRequest } from "./request.ts"

export class WaitingCall implements Exchange {
  readonly #request: HttpRequest
  readonly #answer: Answer
  readonly #left: (call: WaitingCall) => void
  #exchange: Exchange | undefined = undefined
  #paused = false
  #over = false

  /** `left`: it waits no more, as it was given up. */
  constructor(request: HttpRequest, answer: Answer, left: (call: WaitingCall) => void) {
    this.#request = request
    this.#answer = answer
    this.#left = left
  }

  sentBy(connection: { send(request: HttpRequest, answer: Answer): Exchange }): void {
    if (this.#over) return
    const exchange = connection.send(this.#request, this.#answer)
    this.#exchange = exchange
    // Also from within the call above.
    if (this.#over) exchange.abort()
    else if (this.#paused) exchange.pause()
  }

  /** No connection could be had. */
  failed(code: string | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#answer.failed({ reason: "connect", code })
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
    if (this.#exchange !== undefined) return this.#exchange.abort()
    if (this.#over) return
    this.#over = true
    this.#left(this)
  }
}
