/** A wire schema → the same schema for the SDK's form, by the table of names. */
import * as z from "zod"
import type { ToSdk } from "./names.ts"
import { sdkMember } from "./names.ts"
import { list, object } from "./values.schema.ts"

export function sdkForm<Schema extends z.ZodType>(schema: Schema): z.ZodType<ToSdk<z.output<Schema>>> {
  // The names are renamed by the very table that the type follows; the compiler cannot see that they agree.
  return renamed(schema) as z.ZodType<ToSdk<z.output<Schema>>>
}

const LEAVES = [z.ZodString, z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodLiteral, z.ZodRecord, z.ZodUnknown]

function renamed(schema: unknown): z.ZodType {
  if (schema instanceof z.ZodOptional) return renamed(schema.unwrap()).optional()
  if (schema instanceof z.ZodNullable) return renamed(schema.unwrap()).nullable()
  if (schema instanceof z.ZodArray) return list(renamed(schema.element))
  if (schema instanceof z.ZodUnion) return z.union(schema.options.map(renamed))
  if (schema instanceof z.ZodObject)
    return object(Object.fromEntries(Object.entries(schema.shape).map(renamedMember)))
  for (const Leaf of LEAVES) if (schema instanceof Leaf) return schema
  throw new TypeError("This kind of schema has no SDK form: it would keep the wire's names without a word.")
}

function renamedMember([name, schema]: [string, unknown]): [string, z.ZodType] {
  const { to, free } = sdkMember(name)
  return [to, free && schema instanceof z.ZodType ? schema : renamed(schema)]
}
