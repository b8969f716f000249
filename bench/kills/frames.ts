/** Server-sent events as they were sent. */
export interface Frame {
  /** 0: it has none. */
  readonly id: number
  readonly frame: string
}

export function framesOf(text: string): Frame[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .map((frame) => ({ id: Number(/^id: (\d+)$/m.exec(frame)?.[1] ?? 0), frame }))
}

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[]
}

/** The simulator sends each token in an event of its own. */
export function tokensIn(frames: readonly Frame[]): number {
  return frames.filter(({ id, frame }) => {
    if (id === 0) return false
    const chunk: Chunk = JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? "{}")
    return chunk.choices?.some(({ delta }) => Boolean(delta?.content)) === true
  }).length
}
