/** The value, or undefined where the text is no JSON: which JSON cannot say itself. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
