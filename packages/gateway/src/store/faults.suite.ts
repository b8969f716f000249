/** What every store must keep when its database fails. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { aKey, anOpenCall, aSettledCall, assertBooksAgree, NOON } from "../../test/store-support.ts"
import type { FaultySubject } from "./store.suite.ts"

export function suiteOfFaults({ name, place: newPlace, createFault }: FaultySubject): void {
  for (const when of ["before", "after"] as const) {
    test(`${name}: whichever statement fails (${when} it is done), every call has its one row, paid once, and no hold is left`, async (t) => {
      const { open, query } = await newPlace(t)
      const fault = createFault()
      const store = await open({ fault })
      await store.projects.create({ id: "team", name: "Team", budget: null, createdAt: NOON })
      await store.keys.create(
        aKey("ann", { project: "team", budget: { amount: 1_000_000n, period: "total" } }),
      )
      let failures = 0
      let n = 0
      do {
        n += 1
        fault.arm(n, when)
        const ids = [`a-${n}`, `b-${n}`]
        const admissions = await Promise.all(
          ids.map((id) => store.openCall(anOpenCall(id, { tags: ["x"], hold: { amount: 10n, tokens: 10 } }))),
        )
        assert.ok(admissions.every(({ admitted }) => admitted))
        assert.equal((await store.extendHold(`a-${n}`, 20n, NOON)).admitted, true)
        const settled = await Promise.all(ids.map((id) => store.settleCall(aSettledCall(id, { cost: 3n }))))
        assert.deepEqual(settled, [true, true], `statement ${n}: whoever settles first is told so`)
        failures = fault.failed()
        fault.arm(0)
        const { total, held, running } = await store.spend("project", "team", NOON)
        assert.deepEqual([total, held, running], [BigInt(n) * 6n, 0n, 0], `statement ${n}`)
        await assertBooksAgree(query)
      } while (failures > 0)
      assert.ok(n > 15, `${n - 1} statements have failed once`)
    })
  }

  for (const when of ["before", "after"] as const) {
    test(`${name}: an opening that fails (${when} any of its statements is done) leaves no row and no hold`, async (t) => {
      const { open, query } = await newPlace(t)
      const fault = createFault()
      const store = await open({ fault, openPatience: 0 })
      await store.keys.create(aKey("ann", { budget: { amount: 1_000n, period: "total" } }))
      let failed = true
      for (let n = 1; failed; n++) {
        fault.arm(n, when)
        failed = await store.openCall(anOpenCall(`call-${n}`, { hold: { amount: 10n } })).then(
          () => false,
          () => true,
        )
        fault.arm(0)
        // Jobs are done in order: once this one is, what had to be undone is undone.
        await store.countResume("any")
        const { held, running } = await store.spend("key", "ann", NOON)
        assert.deepEqual([held, running], failed ? [0n, 0] : [10n, 1], `statement ${n}`)
        await assertBooksAgree(query)
      }
    })
  }

  test(`${name}: a change of a key that fails changes nothing, and is not told`, async (t) => {
    const { open } = await newPlace(t)
    const fault = createFault()
    const store = await open({ fault })
    await store.keys.create(aKey("ann", { name: "before" }))
    let patched = false
    for (let n = 1; !patched; n++) {
      fault.arm(n)
      patched = await store.keys.patch("ann", { name: "after" }).then(
        () => true,
        () => false,
      )
      fault.arm(0)
      const [change] = await store.keys.changes(0)
      assert.deepEqual([change?.key?.name, change?.version], patched ? ["after", 2] : ["before", 1])
    }
  })
}
