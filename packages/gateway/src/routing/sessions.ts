/** Where a session's last call went, so that its next one finds the prompt cache that it left there. */

export interface Sessions {
  /** The candidate's name; undefined: none, or too long ago. */
  at(session: string): string | undefined
  went(session: string, candidate: string): void
}

/** As long as providers keep a prompt in their caches without being asked. */
const KEPT_FOR = 10 * 60 * 1_000
const MOST_KEPT = 10_000

export function createSessions(now: () => number = () => performance.now()): Sessions {
  const sessions = new Map<string, { candidate: string; at: number }>()
  return {
    at(session) {
      const known = sessions.get(session)
      return known === undefined || now() - known.at > KEPT_FOR ? undefined : known.candidate
    },
    went(session, candidate) {
      // The newest last: the first is the one that has been silent longest.
      sessions.delete(session)
      sessions.set(session, { candidate, at: now() })
      const [oldest] = sessions.keys()
      if (sessions.size > MOST_KEPT && oldest !== undefined) sessions.delete(oldest)
    },
  }
}
