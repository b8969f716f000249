/** What becomes of a call when its last reader has left without a word. */
export type OnDisconnect =
  | { readonly rule: "cancel" }
  | { readonly rule: "drain"; readonly milliseconds: number }
  | { readonly rule: "detach" }

/** As it is written in headers and configuration; undefined where it is none of the three. */
export function parseOnDisconnect(text: string): OnDisconnect | undefined {
  if (text === "cancel") return { rule: "cancel" }
  if (text === "detach") return { rule: "detach" }
  const seconds = text.match(/^drain:(\d{1,6})s?$/)?.[1]
  return seconds === undefined ? undefined : { rule: "drain", milliseconds: Number(seconds) * 1_000 }
}
