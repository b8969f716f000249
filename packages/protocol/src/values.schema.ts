/**
 * The plain values that every schema is made of. Each says what it expected as the end of a sentence ("must be a
 * string, got null"); `explain` puts the member's name before it.
 */
import * as z from "zod"

export const text = z.string({ error: must("be a string") })
export const boolean = z.boolean({ error: must("be true or false") })
export const integer = z.int({ error: must("be an integer") })
/** Integers beyond 2^53 are refused here too: as they stand they were altered by parsing. */
export const number = z
  .number({ error: must("be a number") })
  .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), { error: must("be a number") })

/** Free-form: what is inside is the caller's own. */
export const anyObject = z.record(z.string(), z.unknown(), { error: must("be an object") })
export const anything = z.unknown()

/** Unknown members are kept. */
export const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject(shape, { error: must("be an object") })

export const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: must("be an array") })

/**
 * Lists and maps of a request: read up to the first wrong item, because a body of a million wrong ones must not cost
 * a million findings (measured: 2 MB of them took 1.8 s and 650 MB). Zod's own array finds all.
 */
export function items<Item extends z.ZodType>(
  item: Item,
  array = z.array(z.unknown(), { error: must("be an array") }),
) {
  return array.transform((values, context) => {
    const read: z.output<Item>[] = []
    for (const [at, value] of values.entries()) {
      const result = item.safeParse(value)
      if (!result.success) return refuse(context, at, result.error)
      read.push(result.data)
    }
    return read
  })
}

export function mapOf<Value extends z.ZodType>(value: Value) {
  return anyObject.transform((members, context) => {
    const read = new Map<string, z.output<Value>>()
    for (const [name, member] of Object.entries(members)) {
      const result = value.safeParse(member)
      if (!result.success) return refuse(context, name, result.error)
      read.set(name, result.data)
    }
    return Object.fromEntries(read)
  })
}

function refuse(context: z.core.ParsePayload, at: PropertyKey, error: z.ZodError): never {
  const issue = error.issues[0]!
  context.issues.push({ ...issue, path: [at, ...issue.path], input: undefined })
  return z.NEVER
}

export const only = <const Value extends string>(value: Value) =>
  z.literal(value, { error: must(`be ${JSON.stringify(value)}`) })

export const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values, { error: must(`be one of ${quoted(values)}`) })

/** The expectation in words, because the branches cannot say it together. */
export const either = <const Branches extends readonly [z.ZodType, z.ZodType, ...z.ZodType[]]>(
  what: string,
  ...branches: Branches
) => z.union(branches, { error: must(`be ${what}`) })

/** Which shape it is says one member: `role`, `type`. */
export const byMember = <
  const Shapes extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]],
>(
  member: string,
  values: readonly string[],
  shapes: Shapes,
) =>
  z.discriminatedUnion(member, shapes, {
    error: (issue) =>
      issue.code === "invalid_union"
        ? must(`be one of ${quoted(values)}`)({ input: memberOf(issue.input, member) })
        : must("be an object")(issue),
  })

/** `messages[0].role`, and the whole sentence about it. */
export function explain(error: z.ZodError): { param: string; message: string } {
  const { path, message } = innermost(error.issues[0]!)
  const param = path.map((step, at) =>
    typeof step === "number" ? `[${step}]` : at ? `.${String(step)}` : String(step),
  )
  return { param: param.join(""), message: `${param.join("") || "The body"} ${message}.` }
}

/** Of a union's branches the one that got further in: what is wrong there is what the caller meant. */
function innermost(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string } {
  if (issue.code === "unrecognized_keys")
    return { path: [...issue.path, issue.keys[0]!], message: issue.message }
  const branches = issue.code === "invalid_union" ? issue.errors.map((branch) => branch[0]) : []
  const meant = branches.find((branch) => branch !== undefined && branch.path.length > 0)
  if (meant === undefined) return { path: issue.path, message: issue.message }
  const within = innermost(meant)
  return { path: [...issue.path, ...within.path], message: within.message }
}

export function must(expectation: string): (issue: { input?: unknown }) => string {
  return ({ input }) =>
    input === undefined ? `is required and must ${expectation}` : `must ${expectation}, got ${spoken(input)}`
}

function spoken(value: unknown): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  if (typeof value === "object") return "an object"
  // A word is worth repeating; a sentence may be a prompt, and ends up in logs.
  if (typeof value === "string")
    return /^[\w.:-]{1,24}$/.test(value) ? JSON.stringify(value) : "another string"
  if (typeof value !== "number") return String(value)
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? "an integer beyond 2^53" : String(value)
}

function quoted(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ")
}

function memberOf(value: unknown, member: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, member) : undefined
}
