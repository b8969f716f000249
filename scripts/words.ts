/** Words that no committed file may hold, each with its reason. */

interface Forbidden {
  readonly pattern: RegExp
  readonly reason: string
  readonly only?: RegExp
}

const FORBIDDEN: readonly Forbidden[] = [
  {
    pattern: /(?<![\w.~}])\/(?:work|root|tmp|home\/\w+)\//,
    reason: "a path of one machine; ask the system for a temporary folder, or start from import.meta.dirname",
  },
  {
    pattern: /"resolved": "(?!https:\/\/registry\.npmjs\.org\/|packages\/)/,
    reason: "the lock must not name a mirror: others cannot reach it",
    only: /^package-lock\.json$/,
  },
  { pattern: /^\s*(?:@\w+:)?registry\s*=/m, reason: "the registry is the user's choice", only: /\.npmrc$/ },
  {
    pattern: /\bsk-[A-Za-z0-9_-]{32,}|-----BEGIN [A-Z ]*PRIVATE KEY/,
    reason: "it looks like a secret",
    // Tests make up keys, to see that they are hidden.
    only: /^(?!.*\.test\.ts$)/,
  },
  { pattern: /^(?:<{7}|>{7}) /m, reason: "a merge was left half done" },
]

/** One sentence per forbidden word found in a file. */
export function forbiddenWords(path: string, text: string): string[] {
  return FORBIDDEN.flatMap(({ pattern, reason, only }) => {
    if (only !== undefined && !only.test(path)) return []
    const found = pattern.exec(text)
    if (found === null) return []
    const line = text.slice(0, found.index).split("\n").length
    return [`${path}:${line} has '${found[0].trim()}': ${reason}.`]
  })
}
