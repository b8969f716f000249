import assert from "node:assert/strict"
import { test } from "node:test"
import { isDeepStrictEqual } from "node:util"
import { CREDENTIAL, fileWith, load } from "../../test/config-support.ts"
import { configurationSchema } from "../config.ts"
import type { Form } from "./facts.ts"
import { restartNeeded } from "./reload.ts"
import { type Setting, settings } from "./settings.ts"

const SETTINGS = settings().filter(({ inside }) => !inside)
const nameOf = ({ path }: Setting): string => path.join(".")

/** The paths of everything that the JSON Schema has below this form. */
function pathsIn(form: Form, path: readonly string[] = []): string[] {
  const {
    properties = {},
    additionalProperties,
    items,
  } = form as {
    properties?: Record<string, Form>
    additionalProperties?: Form | false
    items?: Form
  }
  return [
    ...Object.entries(properties).flatMap(([name, inside]) => {
      assert.ok(inside.description, `${[...path, name].join(".")} has no description`)
      return [[...path, name].join("."), ...pathsIn(inside, [...path, name])]
    }),
    ...(additionalProperties ? pathsIn(additionalProperties, [...path, "<name>"]) : []),
    ...(items === undefined ? [] : pathsIn(items, [...path, "[]"])),
  ]
}

test("every key of the file is a setting that people are told of, with what it does and an example", () => {
  assert.deepEqual(settings().map(nameOf), pathsIn(configurationSchema()))
  for (const setting of settings()) {
    assert.match(setting.about, /^[A-Z].*\.$/, nameOf(setting))
    assert.ok(!/[|\n]/.test(setting.about), `${nameOf(setting)}: it has to fit into a table`)
    assert.notEqual(setting.expected, "", nameOf(setting))
  }
  for (const setting of SETTINGS) assert.notEqual(setting.example, undefined, nameOf(setting))
})

for (const setting of SETTINGS) {
  const { path, example, restart } = setting
  const name = nameOf(setting)

  if (setting.default !== undefined) {
    test(`${name}: what it is said to be where it is left out is what it is`, () => {
      assert.ok(isDeepStrictEqual(load(fileWith(path, setting.default)), load(fileWith())))
    })
  }

  test(`${name}: its example is taken and changes something, at once or after the restart that is said`, () => {
    const before = load(fileWith(path, setting.default ?? OTHER[path.at(-1)!]))
    const after = load(fileWith(path, example), { environment: { OPENAI_API_KEY: CREDENTIAL } })
    assert.ok(!isDeepStrictEqual(before, after))
    assert.deepEqual(restartNeeded(before, after), restart === true ? [name] : [])
  })
}

/** Of settings that have no default, something else than their example. */
const OTHER: Readonly<Record<string, unknown>> = {
  kind: "openai",
  base_url: "http://127.0.0.1:1/v1",
  credential: "none",
  provider: "sim",
  model: "another",
  input: 1,
  output: 1,
}
