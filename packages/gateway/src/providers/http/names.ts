/**
 * Addresses of providers' hosts. The system's resolver blocks one of Node's few threads for each question, so a burst of
 * calls would queue for the same answer many times over: here it is asked for once, and kept for a moment.
 *
 *   fresh     for `keep` milliseconds; who comes while it is being asked for waits for that answer
 *   stale     a resolver that fails, or takes longer than `patience`, says nothing of the host: its last answer stands
 *             for another `keep`, and so on for up to `keepStale`
 *   in turn   a host's addresses share the connections, family by family, as a resolver would have it
 *
 * The hosts are those of the configuration, so there are never many. A first answer has no limit of its own: the attempt
 * that waits for it has one.
 */
import { type LookupAddress, lookup as systemLookup } from "node:dns"
import type { LookupFunction } from "node:net"

export interface NamesOptions {
  readonly keep?: number
  readonly keepStale?: number
  readonly patience?: number
  /** Asks the system. */
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>
  /** Milliseconds of a clock that is never set. */
  readonly now?: () => number
}

const KEEP = 10_000
const KEEP_STALE = 3_600_000
const PATIENCE = 1_000

interface Known {
  readonly addresses: readonly LookupAddress[]
  readonly staleAfter: number
  freshUntil: number
  turn: number
}

export function createNames(options: NamesOptions = {}): LookupFunction {
  const { keep = KEEP, keepStale = KEEP_STALE, patience = PATIENCE } = options
  const { resolve = askSystem, now = () => performance.now() } = options
  const known = new Map<string, Known>()
  const asking = new Map<string, Promise<Known>>()

  async function ask(host: string): Promise<Known> {
    const addresses = await resolve(host)
    const freshUntil = now() + keep
    const answer = { addresses, freshUntil, staleAfter: freshUntil + keepStale, turn: 0 }
    known.set(host, answer)
    return answer
  }

  function find(host: string): Promise<Known> {
    const last = known.get(host)
    if (last !== undefined && now() < last.freshUntil) return Promise.resolve(last)
    const asked = asking.get(host) ?? ask(host).finally(() => asking.delete(host))
    asking.set(host, asked)
    return last === undefined || now() >= last.staleAfter ? asked : orLast(asked, last)
  }

  function orLast(asked: Promise<Known>, last: Known): Promise<Known> {
    return new Promise((found) => {
      const fallBack = (): void => {
        last.freshUntil = Math.min(now() + keep, last.staleAfter)
        found(last)
      }
      const timer = setTimeout(fallBack, patience)
      asked.then(found, fallBack).finally(() => clearTimeout(timer))
    })
  }

  return (host, { all }, callback) => {
    find(host).then(
      (found) => {
        const addresses = inTurn(found.addresses, found.turn++)
        const [first] = addresses
        if (all === true) callback(null, addresses)
        else if (first !== undefined) callback(null, first.address, first.family)
        else callback(new Error(`the host '${host}' has no address`), "")
      },
      (error: NodeJS.ErrnoException) => callback(error, all === true ? [] : ""),
    )
  }
}

function askSystem(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) =>
      error === null ? resolve(addresses) : reject(error),
    )
  })
}

/** Each family's from another beginning, the families in the resolver's order. */
function inTurn(addresses: readonly LookupAddress[], turn: number): LookupAddress[] {
  const families = [...new Set(addresses.map(({ family }) => family))]
  return families.flatMap((wanted) => {
    const own = addresses.filter(({ family }) => family === wanted)
    const start = turn % own.length
    return [...own.slice(start), ...own.slice(0, start)]
  })
}
