// @ts-check
/**
 * What a reload must not lose: the keys and the stream that is being read. It goes with the tab, and never into an
 * address. Where the browser keeps nothing, the page works all the same.
 */

/** @typedef {"key" | "admin-key" | "stream"} Name */

/** @param {Name} name */
export function recall(name) {
  try {
    return sessionStorage.getItem(`sluice.${name}`) ?? undefined
  } catch {
    return undefined
  }
}

/** @param {Name} name @param {string | undefined} value Undefined: forget it. */
export function remember(name, value) {
  try {
    if (value === undefined) sessionStorage.removeItem(`sluice.${name}`)
    else sessionStorage.setItem(`sluice.${name}`, value)
  } catch {
    // It may be switched off, or full: then a reload asks again.
  }
}
