/** For every mark on a vendor's page: values that fit, and values that must be refused. */
import assert from "node:assert/strict"
import { type Page, pages, smallest } from "./seeds.pages.ts"

export interface Case {
  readonly title: string
  readonly page: Page
  readonly value: unknown
  readonly fits: boolean
}

export const cases: readonly Case[] = pages.flatMap(casesOf)

function casesOf(page: Page): Case[] {
  const all = Object.fromEntries(page.members.map((member) => [member.name, sampleOf(member.type)]))
  const least = Object.fromEntries(
    page.members.filter(({ required }) => required).map(({ name, type }) => [name, sampleOf(type)]),
  )
  const fits = (title: string, value: unknown): Case => ({
    title: `${page.name} ${title}`,
    page,
    value,
    fits: true,
  })
  const fails = (title: string, value: unknown): Case => ({
    title: `${page.name} ${title}`,
    page,
    value,
    fits: false,
  })
  return [
    fits("with every member", all),
    fits("with the required members alone", least),
    ...page.members.flatMap(({ name, type, required }) => {
      const { [name]: _, ...without } = all
      const nullable = type.startsWith("OptionalNullable[") || type.startsWith("Nullable[")
      return [
        fits(`with ${name}`, { ...least, [name]: sampleOf(type) }),
        (required ? fails : fits)(`without ${name}`, without),
        (nullable ? fits : fails)(`with ${name} as null`, { ...all, [name]: null }),
        ...wrongSamplesOf(type).map((wrong) =>
          fails(`with ${name} as ${JSON.stringify(wrong)}`, { ...all, [name]: wrong }),
        ),
      ]
    }),
  ]
}

/** A value of a type in a page's notation: TypeScript's, or Python's with its wrappers. */
function sampleOf(type: string): unknown {
  const inner = type.match(/^(?:Optional|OptionalNullable|Nullable)\[(.*)\]$/)?.[1]
  if (inner !== undefined) return sampleOf(inner)
  const item = itemOf(type)
  if (item !== undefined) return [sampleOf(item)]
  if (type.startsWith('"')) return JSON.parse(type)
  if (type === "string" || type === "str") return "text"
  if (type === "number" || type === "float") return 7
  assert.ok(type in smallest, `no sample for ${type}`)
  return smallest[type]
}

function wrongSamplesOf(type: string): unknown[] {
  const sample = sampleOf(type)
  if (Array.isArray(sample)) return ["text", sample[0], [7]]
  if (typeof sample === "number") return ["7", true]
  if (sample === "text") return [7, {}]
  if (typeof sample === "string") return ["another", 7]
  return ["text", 7, [sample]]
}

function itemOf(type: string): string | undefined {
  return type.match(/^List\[(.*)\]$/)?.[1] ?? type.match(/^(.*)\[\]$/)?.[1]
}
