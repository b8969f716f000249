/**
 * One figure of bench/growth/stored.ts, from inside: in a process of its own, which is sent the figure.
 *
 *   keys   fills a data folder up to so many keys; nanoseconds of a look-up
 *   rows   fills a ledger up to so many rows; 0
 *   usage  milliseconds of a question to all of them
 *   calls  a second, on top of them
 *   plan   nanoseconds, with so many routes in the file
 */
import { readFileSync } from "node:fs"
import type { IncomingHttpHeaders } from "node:http"
import { openKeys } from "../src/auth/stored-keys.ts"
import { loadConfig } from "../src/config.ts"
import { createHttpPool } from "../src/providers/http/pool.ts"
import { createHealth } from "../src/routing/health.ts"
import { plan } from "../src/routing/plan.ts"
import { wantedOf } from "../src/routing/wanted.ts"
import { compileRoutes } from "../src/start/routes.ts"
import { openStore } from "../src/store/open.ts"
import type { Store } from "../src/store/store.ts"
import { BEGIN, createKeys, DAY, DAYS, write } from "./ledger-rows.ts"
import { figuresOf } from "./micro-measure.ts"
import { aKey } from "./store-support.ts"

/** Milliseconds of measuring. */
const TIME = 200
const ASKED = 9
const WINDOWS = 5
const CALLS = 10_000

const FIGURES: Readonly<Record<string, (place: string, count: number) => Promise<number>>> = {
  keys: (folder, count) => withStore(folder, (store) => lookUp(store, count)),
  rows: (folder, count) => withStore(folder, (store) => fillRows(store, count)),
  usage: (folder) => withStore(folder, timeOfUsage),
  calls: (folder, count) => withStore(folder, (store) => callsPerSecond(store, count)),
  plan: timeOfPlan,
}

async function withStore(dataFolder: string, work: (store: Store) => Promise<number>): Promise<number> {
  const store = await openStore({ dataFolder })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function lookUp(store: Store, count: number): Promise<number> {
  const keys = await openKeys(store, { log: console.error })
  const there = (await store.keys.list()).length
  const missing = Array.from({ length: count - there }, (_, index) => there + index)
  const make = async (): Promise<void> => {
    for (let number = missing.pop(); number !== undefined; number = missing.pop())
      await store.keys.create(aKey(`key-${number}`, { hash: keys.hash(secretOf(number)) }))
  }
  await Promise.all(Array.from({ length: 500 }, make))
  await keys.refresh()
  const every = Math.ceil(count / 1_000)
  const presented = Array.from(
    { length: Math.ceil(count / every) },
    (_, index): IncomingHttpHeaders => ({
      authorization: `Bearer ${secretOf(index * every)}`,
    }),
  )
  let at = 0
  const run = (): unknown => {
    at = at + 1 < presented.length ? at + 1 : 0
    return keys.authenticate(presented[at]!)
  }
  const { nanoseconds } = await figuresOf({ name: "look-up", run, close: () => keys.close() }, TIME)
  return nanoseconds
}

function secretOf(number: number): string {
  return `sk-growth-${number.toString().padStart(30, "0")}`
}

async function fillRows(store: Store, count: number): Promise<number> {
  const there = await rowsOf(store)
  if (there === 0) await createKeys(store)
  const missing = count - there
  await write(
    store,
    there,
    missing,
    (number) => BEGIN + Math.floor(((number - there) / missing) * DAYS * DAY),
  )
  if ((await rowsOf(store)) !== count) throw new Error(`${await rowsOf(store)} rows instead of ${count}`)
  return 0
}

const WHOLE = { from: BEGIN, to: BEGIN + (DAYS + 2) * DAY }

async function rowsOf(store: Store): Promise<number> {
  const [all] = await store.usage({ ...WHOLE, by: [] })
  return all?.calls ?? 0
}

async function timeOfUsage(store: Store): Promise<number> {
  const times: number[] = []
  for (let time = 0; time < ASKED; time++) {
    const begun = performance.now()
    const groups = await store.usage({ ...WHOLE, by: ["time", "model"] })
    times.push(performance.now() - begun)
    if (groups.length === 0) throw new Error("the ledger is empty")
  }
  return median(times)
}

async function callsPerSecond(store: Store, first: number): Promise<number> {
  const rates: number[] = []
  const each = CALLS / WINDOWS
  for (let from = first; from < first + CALLS; from += each) {
    const begun = performance.now()
    await write(store, from, each, (number) => BEGIN + DAYS * DAY + Math.floor((number - first) / 10))
    rates.push((each / (performance.now() - begun)) * 1_000)
  }
  return median(rates)
}

async function timeOfPlan(file: string, count: number): Promise<number> {
  const config = loadConfig({ file, text: readFileSync(file), environment: {}, flags: {} })
  const pool = createHttpPool()
  const routes = compileRoutes(config, pool)
  if (routes.models.size !== count) throw new Error(`${routes.models.size} routes instead of ${count}`)
  const health = createHealth()
  const sight = {
    figuresOf: health.figuresOf,
    priceOf: () => undefined,
    random: Math.random,
    mayUse: () => true,
    takesAll: () => true,
    sessionAt: undefined,
  }
  const silent = { provider: undefined, model: undefined, session: undefined, metadata: false, told: false }
  const wanted = [...routes.models.keys()].map((model) => wantedOf({ model, messages: [] }, silent))
  let at = 0
  const run = (): unknown => {
    at = at + 1 < wanted.length ? at + 1 : 0
    return plan(wanted[at]!, routes, sight)
  }
  const { nanoseconds } = await figuresOf({ name: "plan", run, close: async () => pool.close() }, TIME)
  return nanoseconds
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1]!
}

const [what = "", place = "", count] = process.argv.slice(2)
process.send?.(await FIGURES[what]!(place, Number(count)))
process.disconnect?.()
