/**
 * `${NAME}` and `${NAME:-otherwise}` inside strings.
 *
 * YAML gives braces, commas and colons a meaning of their own inside `{ … }` and `[ … ]`, so `{ credential: ${KEY} }`
 * would be a syntax error. Before parsing, such characters inside a `${…}` are masked, each by one private-use character:
 * YAML takes them for letters and every position stays what it was. `unmask` takes it back in the parsed string.
 */

export type Environment = Readonly<Record<string, string | undefined>>

/** With a default (which may hold anything but braces), without, or broken: then only the opening is masked. */
const REFERENCE_IN_YAML = /\$\{(?:[A-Za-z_]\w*:-[^{}\n]*\}|[^{}\s,]*\})?/g
const MEANS_SOMETHING = /[{}[\],:# ]/g
const PRIVATE_USE = 0xe000

export function maskReferences(yaml: string): string {
  return yaml.replace(REFERENCE_IN_YAML, (reference) =>
    reference.replace(MEANS_SOMETHING, (character) =>
      String.fromCharCode(PRIVATE_USE + character.charCodeAt(0)),
    ),
  )
}

export function unmask(text: string): string {
  return text.replace(/[\ue000-\ue07f]/g, (character) =>
    String.fromCharCode(character.charCodeAt(0) - PRIVATE_USE),
  )
}

/** `name` where the reference has one: its place can then be looked for. */
export type ReportReference = (message: string, name: string) => void

/** As in a shell, `:-` also stands in for a variable that is set to nothing. */
export function interpolate(text: string, environment: Environment, report: ReportReference): string {
  return text.replace(/\$\{(?:([^{}]*)\})?/g, (_, inside: string | undefined) => {
    const [, name, otherwise] = inside?.match(/^([A-Za-z_]\w*)(?::-(.*))?$/s) ?? []
    if (name === undefined) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what people are to write
      report("after '${' a name and '}' were expected, as in ${NAME} or ${NAME:-otherwise}", "")
      return ""
    }
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (otherwise !== undefined) return value === undefined || value === "" ? otherwise : value
    if (value === undefined)
      report(`the environment variable ${name} is not set (\${${name}:-…} gives a default)`, name)
    return value ?? ""
  })
}
