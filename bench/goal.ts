/** What a bench promises, and what came out: one line each, for people and for scripts. */
export type Goal =
  | {
      readonly name: string
      readonly goal: string
      readonly outcome: "met" | "short"
      readonly figure: string
    }
  | { readonly name: string; readonly goal: string; readonly outcome: "not measured"; readonly why: string }

/** `goal <name>: <figure> (<goal>) met`, `… short` or `… not measured: <why>`. */
export function goalLine(goal: Goal): string {
  const figure = goal.outcome === "not measured" ? "none" : goal.figure
  const outcome = goal.outcome === "not measured" ? `not measured: ${goal.why}` : goal.outcome
  return `goal ${goal.name.replaceAll(":", "")}: ${figure} (${goal.goal}) ${outcome}`
}
