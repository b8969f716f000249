// @ts-check
/** The elements of index.html, by their ids. */

/**
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {{ new (): Kind }} kind
 * @returns {Kind}
 */
export function element(id, kind) {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`index.html has no ${kind.name} with the id '${id}'`)
}

/**
 * Words that may be anybody's: they become text, and nothing in them is ever read as HTML.
 *
 * @param {string} name
 * @param {string} [text]
 * @param {string} [className]
 */
export function make(name, text = "", className = "") {
  const made = document.createElement(name)
  made.textContent = text
  if (className !== "") made.className = className
  return made
}
