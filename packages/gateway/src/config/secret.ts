/** A credential or key that does not show itself: not in a log, not in JSON, not in an error. */
import { inspect } from "node:util"

export interface Secret {
  /** The one way to the value. */
  reveal(): string
  toString(): string
  toJSON(): string
}

const SHOWN = "[secret]"

/** The value lives in the closure alone, so that no walk over properties finds it. */
export function createSecret(value: string): Secret {
  const hide = (): string => SHOWN
  return Object.freeze({ reveal: () => value, toString: hide, toJSON: hide, [inspect.custom]: hide })
}
