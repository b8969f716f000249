/**
 * The configuration file's JSON Schema, for editors. Whatever the gateway takes it takes too. The other way round it
 * knows less: not the environment, not which names belong together, not how much a unit may hold.
 */
import { z } from "zod"
import { type Facts, type Form, facts, readings } from "./facts.ts"
import { configFile } from "./file.schema.ts"

export function configurationSchema(): Form {
  // Draft 7 is what the editors' YAML servers know best.
  const { $schema, ...schema } = z.toJSONSchema(configFile, {
    target: "draft-7",
    io: "input",
    metadata: z.registry(),
    override: ({ zodSchema, jsonSchema }) => tell(zodSchema, jsonSchema),
  })
  return {
    $schema,
    title: "sluice.yaml",
    description: "The configuration of Sluice, a gateway for streamed chat completions.",
    ...schema,
  }
}

/** Completes, in place, what zod makes of one part. */
function tell(part: z.core.$ZodType, form: Form): void {
  if (part._zod.def.type === "nullable") orNull(form)
  const reading = readings.get(part)
  if (reading !== undefined) {
    for (const key of Object.keys(form)) delete form[key]
    Object.assign(form, withMessage(reading.form, `expected ${reading.expected}`))
  }
  const known = facts.get(part)
  if (known === undefined) return
  Object.assign(form, annotations(known))
  merge(form, known.also ?? {})
}

/** In one form and not in two to choose from: editors then show and complete what is inside. */
function orNull(form: Form): void {
  const [inside] = form.anyOf ?? []
  if (!isForm(inside)) return
  delete form.anyOf
  Object.assign(form, inside, { type: [inside.type, "null"] })
}

/** `errorMessage` is a word of the editors': what they say instead of showing the pattern. */
function withMessage(form: Form, errorMessage: string): Form {
  const { anyOf } = form
  if (anyOf === undefined) return { ...form, errorMessage }
  return { ...form, anyOf: anyOf.map((one) => ({ ...(one as Form), errorMessage })) }
}

function annotations({ about, default: builtIn, example, restart }: Facts): Form {
  return {
    description: restart === true ? `${about} A change takes effect at the next start.` : about,
    ...(builtIn === undefined ? {} : { default: builtIn }),
    ...(example === undefined ? {} : { examples: [example] }),
  }
}

function merge(form: Form, more: Form): void {
  for (const [key, value] of Object.entries(more)) {
    const inside = form[key]
    if (isForm(inside) && isForm(value)) merge(inside, value)
    else form[key] = value
  }
}

function isForm(value: unknown): value is Form {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
