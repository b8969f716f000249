/** What every store must do, whichever database is below it. */
import type { TestContext } from "node:test"
import type { Row } from "./engine.ts"
import type { FaultSwitch } from "./fault.ts"
import { suiteOfFaults } from "./faults.suite.ts"
import { suiteOfHolds } from "./holds.suite.ts"
import { suiteOfTheKeys } from "./keys.suite.ts"
import { suiteOfTheLedger } from "./ledger.suite.ts"
import type { StoreOptions } from "./open.ts"
import { suiteOfPosting } from "./posting.suite.ts"
import { suiteOfReading } from "./reading.suite.ts"
import { suiteOfTheStart } from "./start.suite.ts"
import type { Store } from "./store.ts"

export function suiteOfTheStore(subject: FaultySubject): void {
  suiteOfTheLedger(subject)
  suiteOfHolds(subject)
  suiteOfReading(subject)
  suiteOfTheKeys(subject)
  suiteOfTheStart(subject)
  suiteOfFaults(subject)
  suiteOfPosting(subject)
}

export interface StoreSubject {
  readonly name: string
  /** An empty database, gone at the test's end. */
  place(t: TestContext): Promise<Place>
}

export interface Place {
  /** One process's store, closed at the test's end. */
  open(options?: Partial<StoreOptions>): Promise<Store>
  /** Past the store, straight to the database. */
  query(sql: string): Promise<Row[]>
}

export interface FaultySubject extends StoreSubject {
  createFault(): FaultSwitch
}
