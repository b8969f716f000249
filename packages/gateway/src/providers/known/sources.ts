/** What many entries stand on. */

/** The day on which the sources were read. */
export const READ = "2026-11-28"

/** Streams that were recorded from the wire. */
export const RECORDED = "https://github.com/vercel/ai/tree/ed857f50f112e23930b0c2dd8d532cc8bebbc911/packages"

/** A client in wide use, which goes by this towards each provider. */
export const PI =
  "https://github.com/earendil-works/pi/blob/003faa91f90678f9562f134c87b46890b0dd995d/packages/ai/src/providers/openai-completions.ts"
