/**
 * Which names may stand in a label. A client can write anything as a model, and each new label is a series that stays
 * until the process ends; so a model has its name once it has answered, or where the configuration or the price table
 * has it. All others are `other`, and so are those that come when there are too many.
 */

export interface NameSources {
  /** What stands before a simulator's script; every other model's name as it is. */
  nameOf(provider: string, model: string): string
  /** A name of the configuration's `models`. */
  isRoute(name: string): boolean
  /** It stands in the configuration or in the price table: there are only so many of those. */
  isKnown(provider: string, model: string): boolean
}

export interface Names {
  /** How a candidate's model is called; `answered`: it is one, then. */
  model(provider: string, model: string, answered: boolean): string
  /** How what a client asked for is called, beside who answered ("" where nobody did). */
  asked(name: string, provider: string, model: string): string
}

export const OTHER = "other"

/** How to choose, and no part of what is asked for. */
const SUFFIX = /:(?:nitro|floor)(?=$|:)/

/** Names that were learnt, and of those one provider's. */
const MOST = 500
const MOST_OF_ONE = 250

export function createNames({ nameOf, isRoute, isKnown }: NameSources): Names {
  const learnt = new Map<string, Set<string>>()
  /** Pairs of what was asked for and what answered: each alone is bounded, their product is not. */
  const pairs = new Set<string>()
  let count = 0

  function learn(provider: string, name: string): boolean {
    const names = learnt.get(provider) ?? new Set()
    if (count >= MOST || names.size >= MOST_OF_ONE) return false
    learnt.set(provider, names.add(name))
    count++
    return true
  }

  function named(provider: string, model: string, answered: boolean): string {
    const name = nameOf(provider, model)
    if (learnt.get(provider)?.has(name) || isKnown(provider, name)) return name
    return answered && learn(provider, name) ? name : OTHER
  }

  function askedFor(written: string): string {
    if (isRoute(written)) return written
    const name = written.replace(SUFFIX, "")
    if (isRoute(name)) return name
    const slash = name.indexOf("/")
    return slash > 0
      ? whole(name.slice(0, slash), named(name.slice(0, slash), name.slice(slash + 1), false))
      : OTHER
  }

  return {
    model: named,
    asked(name, provider, model) {
      const found = askedFor(name)
      // A request may name a model and its provider apart, or several models: then it is the one that answered.
      const asked = found === OTHER && model !== "" ? whole(provider, model) : found
      const pair = `${asked}\n${provider}\n${model}`
      if (pairs.has(pair)) return asked
      if (pairs.size >= MOST) return OTHER
      pairs.add(pair)
      return asked
    },
  }
}

function whole(provider: string, model: string): string {
  return model === OTHER ? OTHER : `${provider}/${model}`
}
