import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { JsonObject } from "@sluice/protocol"
import { z } from "zod"
import { minimalInstance } from "./sim-instance.ts"

const place = {
  type: "object",
  properties: { city: { type: "string", minLength: 1 }, note: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
}

const table: [name: string, schema: JsonObject, expected: unknown][] = [
  ["nothing required", { type: "object", properties: { a: { type: "string" } } }, {}],
  ["required members only", place, { city: "x" }],
  [
    "nested",
    {
      type: "object",
      properties: { places: { type: "array", items: place, minItems: 2 } },
      required: ["places"],
    },
    { places: [{ city: "x" }, { city: "x" }] },
  ],
  [
    "every type",
    {
      type: "object",
      properties: {
        s: { type: "string" },
        i: { type: "integer" },
        n: { type: "number" },
        b: { type: "boolean" },
        z: { type: "null" },
        a: { type: "array", items: { type: "string" } },
      },
      required: ["s", "i", "n", "b", "z", "a"],
    },
    { s: "", i: 0, n: 0, b: false, z: null, a: [] },
  ],
  ["an enum", { enum: ["celsius", "fahrenheit"] }, "celsius"],
  ["a constant", { const: 42 }, 42],
  ["a choice of types", { type: ["string", "null"] }, ""],
  ["the first branch", { anyOf: [{ type: "integer", minimum: 3 }, { type: "null" }] }, 3],
  [
    "all of several",
    {
      allOf: [
        { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
        { type: "object", properties: { b: { type: "boolean" } }, required: ["b"] },
      ],
    },
    { a: 0, b: false },
  ],
  [
    "a reference",
    { type: "object", properties: { p: { $ref: "#/$defs/place" } }, required: ["p"], $defs: { place } },
    { p: { city: "x" } },
  ],
  ["bounds above zero", { type: "integer", exclusiveMinimum: 4, multipleOf: 5 }, 5],
  ["bounds below zero", { type: "integer", exclusiveMaximum: -4 }, -5],
  ["a fraction", { type: "number", minimum: 0.5, maximum: 0.75 }, 0.5],
  ["a date", { type: "string", format: "date-time" }, "2000-01-01T00:00:00Z"],
  ["an address", { type: "string", format: "uuid" }, "00000000-0000-4000-8000-000000000000"],
]

describe("minimalInstance", () => {
  for (const [name, schema, expected] of table) {
    test(`${name}: small, and valid by its schema`, () => {
      const instance = minimalInstance(schema)
      assert.deepEqual(instance, expected)
      z.fromJSONSchema(schema).parse(instance)
    })
  }

  test("ends where a schema has no end", () => {
    const endless: JsonObject = {
      type: "object",
      properties: { left: { $ref: "#" }, right: { $ref: "#" } },
      required: ["left", "right"],
    }
    assert.ok(JSON.stringify(minimalInstance(endless)).length < 100_000)
    assert.ok(JSON.stringify(minimalInstance({ type: "array", minItems: 1e9, items: {} })).length < 100_000)
    assert.ok(JSON.stringify(minimalInstance({ type: "string", minLength: 1e9 })).length < 100_000)
    assert.equal(minimalInstance({ $ref: "#" }), null)
    assert.equal(minimalInstance({ allOf: [{ $ref: "#/allOf/0" }] }), null)
  })

  test("makes a required __proto__ a member, not a prototype", () => {
    const instance = minimalInstance(JSON.parse('{"type":"object","required":["__proto__"]}'))
    assert.equal(JSON.stringify(instance), '{"__proto__":null}')
  })
})
