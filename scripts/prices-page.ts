/** `docs/prices.md`: the price table for people, and the rules around it. */
import type { PriceRow } from "../packages/gateway/src/ledger/prices.ts"

const COLUMNS = ["model", "input", "cached", "cache write", "output", "as of"] as const

export function pricesPage(table: readonly PriceRow[]): string {
  const providers = [...new Set(table.map(({ provider }) => provider))].sort()
  return `${INTRODUCTION}\n${providers.map((provider) => section(provider, table)).join("\n")}`
}

function section(provider: string, table: readonly PriceRow[]): string {
  const rows = table.filter((row) => row.provider === provider)
  const sources = [...new Set(rows.map(({ source }) => source))]
  const lines = rows
    .toSorted((one, other) => (one.model < other.model ? -1 : 1))
    .flatMap((row) => [line(`\`${row.model}\``, row, row.asOf), ...longPrompt(row)])
  return [
    `## ${provider}\n`,
    `Source: ${sources.map((source) => `<${source}>`).join(", ")}\n`,
    `| ${COLUMNS.join(" | ")} |`,
    `|${COLUMNS.map((_, index) => (index === 0 ? "---" : "--:")).join("|")}|`,
    ...lines,
    "",
  ].join("\n")
}

function longPrompt({ longPrompt }: PriceRow): string[] {
  if (longPrompt === undefined) return []
  return [line(`… prompt above ${longPrompt.above.toLocaleString("en")} tokens`, longPrompt, "")]
}

type Amounts = Pick<PriceRow, "input" | "cached" | "cacheWrite" | "output">

function line(name: string, { input, cached, cacheWrite, output }: Amounts, asOf: string): string {
  return `| ${[name, ...[input, cached, cacheWrite, output].map(dollars), asOf].join(" | ")} |`
}

function dollars(amount: number | undefined): string {
  if (amount === undefined) return ""
  return amount.toString().includes(".") ? amount.toString().replace(/\.\d$/, "$&0") : amount.toFixed(2)
}

const INTRODUCTION = `<!-- Made by \`npm run generate\` from packages/gateway/src/ledger/prices.ts: change it there. -->
# Prices

What a call costs is its usage times the price of the model that answered, in whole pico-dollars a token, rounded to
nano-dollars once per attempt. Prices are looked up by provider and model:

1. \`prices:\` in \`sluice.yaml\`;
2. the table below, by the provider's name as \`sluice.yaml\` has it, else by its \`kind\`, and the model's name as the vendor
   has it: \`main: { kind: openai }\` has OpenAI's prices.

In both, a name that ends in a date (\`gpt-4o-mini-2024-07-18\`, \`claude-sonnet-4-5-20250929\`) has its model's price where
it has none of its own. Nothing else is guessed: a model without a price costs \`null\`, not 0. Under a budget its calls
are refused with 402 \`unpriced_model\`, unless \`unpriced: allow\`.

\`\`\`yaml
prices:                            # USD per million tokens
  openai/gpt-4o-mini: { input: 0.15, output: 0.60, cached: 0.075 }
  local/llama: { input: 0, output: 0 }
  mine/search: { input: 1, output: 1, request: 0.005 }     # request: USD per call
unpriced: refuse                   # or allow
\`\`\`

\`input\` and \`output\` are required. \`cached\` and \`cache_write\` (tokens read from the vendor's prompt cache, and written
to it) cost as \`input\` where they are left out, \`reasoning\` as \`output\`. Amounts are exact: six decimals at most, for a
\`request\` twelve. The simulator has no price of its own; what stands before its script is its name (\`sim/story\`).

## What the table does not have

- Models of which one row cannot tell the price: DeepSeek's own API (by the hour of the day), Perplexity's (a fee by the
  depth of the search), and others about which sources disagree. Set them in \`prices:\`.
- Sound: audio tokens are billed at the text's price here, at more by most vendors.
- Discounts and surcharges of a contract, a region, a batch or a service tier, and fees for a vendor's own tools.
- Anthropic's cache writes that last an hour: they are billed at the price of those that last five minutes.

The column "as of" is the last day on which a source vouches for a line. Vendors change prices without notice: compare
with the source before a budget depends on it.
`
