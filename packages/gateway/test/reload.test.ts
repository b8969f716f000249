import assert from "node:assert/strict"
import { test } from "node:test"
import { BROKEN } from "./broken-files.ts"
import { startWithFile } from "./reload-support.ts"
import { eventFrames } from "./support.ts"

const route = (model: string): string =>
  `models: { m: { candidates: [{ provider: sim, model: "${model}" }] } }\n`

test("saving the file reloads it, and running calls keep their plan", async (t) => {
  const gateway = await startWithFile(t, route("one:tokens=40,gap=10"))
  const old = await gateway.ask("m")
  await old.frames(2)
  assert.match(await gateway.save(route("two:tokens=2")), /reloaded$/)
  const fresh = await gateway.ask("m")
  assert.equal(fresh.headers["sluice-model"], "sim/two:tokens=2")
  await fresh.whole()
  const { text } = await old.whole()
  assert.ok(text.endsWith("data: [DONE]\n\n"))
  assert.equal(old.headers["sluice-model"], "sim/one:tokens=40,gap=10")
  assert.equal(eventFrames(text).length, 42) // role and finish
})

test("what cannot change while it runs is named, and the rest of the file taken", async (t) => {
  const gateway = await startWithFile(t, route("one"))
  assert.match(
    await gateway.save(`${route("two")}server: { heartbeat: 1s }\nstreams: { durability: memory }\n`),
    /reloaded; a restart is needed for streams\.durability, server\.heartbeat$/,
  )
  assert.equal((await gateway.ask("m")).headers["sluice-model"], "sim/two")
  assert.match(await gateway.save(route("three")), /reloaded$/)
})

test(`each of ${BROKEN.length} broken files is named with its line, the configuration before goes on, and a good file is taken`, async (t) => {
  assert.ok(BROKEN.length >= 50)
  let good = "sim/good-0:tokens=1"
  const gateway = await startWithFile(t, route("good-0:tokens=1"), { WORD: "word" })
  const meanwhile = await gateway.ask("sim/story:tokens=100,gap=20")
  const goes = async (about: string): Promise<void> => {
    const answer = await gateway.ask("m")
    assert.equal(answer.headers["sluice-model"], good, about)
    assert.ok((await answer.whole()).text.endsWith("data: [DONE]\n\n"), about)
  }
  for (const [index, { about, yaml, line, path, says }] of BROKEN.entries()) {
    const said = await gateway.save(yaml)
    assert.match(said, /the running configuration stays$/, about)
    assert.ok(said.includes(`sluice.yaml:${line}: ${path}`), `${about}: ${said}`)
    assert.ok(said.includes(says), `${about}: ${said}`)
    await goes(about)

    assert.match(await gateway.save(route(`good-${index + 1}:tokens=1`)), /reloaded$/, about)
    good = `sim/good-${index + 1}:tokens=1`
    await goes(about)
  }
  assert.ok((await meanwhile.whole()).text.endsWith("data: [DONE]\n\n"))
})

test("a file that is not UTF-8 is a mistake like any other", async (t) => {
  const gateway = await startWithFile(t, route("one:tokens=1"))
  const said = await gateway.save(Buffer.from("# good\nmodels:\n  caf\xe9: {}\n", "latin1"))
  assert.match(said, /sluice\.yaml:3: this is not UTF-8.*\n.*stays$/)
  assert.equal((await gateway.ask("m")).headers["sluice-model"], "sim/one:tokens=1")
})
