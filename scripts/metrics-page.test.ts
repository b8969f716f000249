import assert from "node:assert/strict"
import { test } from "node:test"
import { METRICS } from "../packages/gateway/src/telemetry/metrics.ts"
import { blocksInMarkdown } from "./doc-examples.ts"
import { metricsPage } from "./metrics-page.ts"
import { promtool } from "./promtool.ts"

const page = metricsPage(METRICS)
const queries = blocksInMarkdown("docs/metrics.md", page, "promql").map(({ code }) => code)
const [config = "", rules = ""] = blocksInMarkdown("docs/metrics.md", page, "yaml").map(({ code }) => code)
const expressions = [
  ...queries,
  ...[...rules.matchAll(/^ +expr: (.*)$/gm)].map(([, expression = ""]) => expression),
]

test("the page has every metric of the table once, under a heading", () => {
  for (const { name } of Object.values(METRICS)) {
    assert.equal(page.split(`\n| \`${name}\` |`).length, 2, name)
  }
  assert.equal(page.match(/^\| `/gm)?.length, Object.keys(METRICS).length)
})

test("what the page asks of Prometheus names metrics and labels that there are", () => {
  const known = new Set([
    "up",
    ...Object.values(METRICS).flatMap(({ name, type }) =>
      type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name],
    ),
  ])
  const labels = new Set([
    "le",
    "job",
    ...Object.values(METRICS).flatMap((metric): readonly string[] => metric.labels),
  ])
  assert.equal(expressions.length, 8 + 7)
  for (const expression of expressions) {
    const bare = expression.replaceAll(/"[^"]*"/g, '""')
    for (const [, within = ""] of bare.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of within.split(", ")) assert.ok(labels.has(label), `${label} in ${expression}`)
    }
    for (const [, label = ""] of bare.matchAll(/[{,]\s*(\w+)(?==|!=|=~|!~)/g)) {
      assert.ok(labels.has(label), `${label} in ${expression}`)
    }
    const names = bare.replaceAll(/\bby \([^)]*\)|\{[^}]*\}/g, " ").match(/\b[a-z]\w*_\w+\b/g) ?? []
    for (const name of names.filter((name) => name !== "histogram_quantile")) {
      assert.ok(known.has(name), `${name} in ${expression}`)
    }
  }
})

test("Prometheus takes the page's configuration, rules and queries", (t) => {
  const said = promtool(t, "rules", rules)
  if (said === undefined) return
  assert.equal(said, "")
  assert.equal(promtool(t, "config", config), "")
  const asRules = queries.map((query, index) => ({ record: `query:${index}`, expr: query }))
  assert.equal(promtool(t, "rules", JSON.stringify({ groups: [{ name: "queries", rules: asRules }] })), "")
  assert.match(promtool(t, "rules", rules.replace("rate(", "rate((")) ?? "", /parse/)
})
