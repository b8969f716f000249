/** Broken files, each with the line, the place and a part of the message that its author must be told. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have

export interface Broken {
  readonly about: string
  readonly yaml: string
  readonly line: number
  readonly path: string
  readonly says: string
}

/** Three lines of providers, so that what follows begins in line 4. */
const PROVIDERS = `providers:
  openai: { kind: openai, credential: sk-1 }
  local: { kind: openai-compatible, base_url: http://127.0.0.1:8080/v1 }
`
const ROUTE = `${PROVIDERS}models:
  fast:
    candidates: [{ provider: openai, model: m }]
`

const provider = (settings: string): string => `providers:\n  mine: ${settings}\n`
const candidate = (settings: string): string =>
  `${PROVIDERS}models:\n  fast:\n    candidates:\n      - ${settings}\n`
const route = (settings: string): string => `${ROUTE}    ${settings}\n`

// biome-ignore format: a file to a line
export const BROKEN: readonly Broken[] = [
  // the text
  { about: "an unclosed quote", yaml: `server:\n  host: "a\n`, line: 3, path: "", says: "closing quote" },
  { about: "an unclosed bracket", yaml: "server: { port: 1\nmodels: {}\n", line: 2, path: "", says: "bracket" },
  { about: "a tab as indent", yaml: "server:\n\tport: 1\n", line: 2, path: "", says: "a tab in the indent" },
  { about: "an indent that fits nothing", yaml: "server:\n    port: 1\n  host: a\n", line: 3, path: "", says: "indent" },
  { about: "two colons in a line", yaml: "server:\n  host: a: b\n", line: 2, path: "", says: "needs quotes" },
  { about: "a reserved character", yaml: "server:\n  host: @here\n", line: 2, path: "", says: "needs quotes" },
  { about: "a second document", yaml: "server: {}\n---\nserver: {}\n", line: 2, path: "", says: "one document" },
  { about: "a tag", yaml: "server:\n  host: !mine a\n", line: 2, path: "", says: "tags are not known" },
  { about: "an unknown escape", yaml: 'server:\n  host: "\\q"\n', line: 2, path: "", says: "escape" },
  { about: "an alias without its anchor", yaml: "server:\n  host: *here\n", line: 2, path: "server.host", says: "no anchor" },
  { about: "an alias that contains itself", yaml: "models: &a\n  x: *a\n", line: 2, path: "models.x", says: "contains itself" },
  { about: "a repeated key", yaml: "server:\n  port: 1\n  host: a\n  port: 2\n", line: 4, path: "server.port", says: "the first is in line 2" },
  { about: "a repeated section", yaml: "server: {}\nmodels: {}\nserver: {}\n", line: 3, path: "server", says: "a second time" },
  { about: "a map for a key", yaml: "server:\n  ? { a: b }\n  : 1\n", line: 2, path: "server", says: "a name was expected" },
  { about: "a key that reaches for the prototype", yaml: "models:\n  __proto__: {}\n", line: 2, path: "models.__proto__", says: "not allowed" },
  { about: "a text instead of a map", yaml: "hello\n", line: 1, path: "", says: 'expected a map of settings; found "hello"' },
  { about: "a list instead of a map", yaml: "\n- a\n", line: 2, path: "", says: "found a list" },
  // the sections
  { about: "an unknown section", yaml: "server: {}\nmodel: {}\n", line: 2, path: "model", says: 'did you mean "models"?' },
  { about: "a section that nothing is like", yaml: "\nplugins: []\n", line: 2, path: "plugins", says: "is not known here (providers, models, prices, unpriced, defaults, streams, server)" },
  { about: "a list of providers", yaml: "providers:\n  - openai\n", line: 1, path: "providers", says: "expected a map of providers by name; found a list" },
  { about: "a text for models", yaml: "models: gpt\n", line: 1, path: "models", says: 'expected a map of routes by model name; found "gpt"' },
  // providers
  { about: "an empty provider", yaml: "providers:\n  mine:\n", line: 2, path: "providers.mine", says: "is empty" },
  { about: "no kind", yaml: provider("{ credential: none }"), line: 2, path: "providers.mine.kind", says: "is missing; expected one of openai" },
  { about: "an unknown kind", yaml: provider("{ kind: opnai, credential: none }"), line: 2, path: "providers.mine.kind", says: 'found "opnai"; did you mean "openai"?' },
  { about: "a kind with a resource of one's own, and no address", yaml: provider("{ kind: azure, credential: k }"), line: 2, path: "providers.mine.base_url", says: "the address of your own resource, such as https://<your resource>.openai.azure.com/openai/v1" },
  { about: "no credential for a vendor", yaml: provider("{ kind: openrouter }"), line: 2, path: "providers.mine.credential", says: "such as ${OPENROUTER_API_KEY}, or none" },
  { about: "an empty credential", yaml: provider('{ kind: openai, credential: "" }'), line: 2, path: "providers.mine.credential", says: "or none; found something else" },
  { about: "a credential that YAML takes for a number", yaml: provider("{ kind: openai, credential: 12345 }"), line: 2, path: "providers.mine.credential", says: "expected the provider's key" },
  { about: "a credential with a space", yaml: provider("{ kind: openai, credential: Bearer abc }"), line: 2, path: "providers.mine.credential", says: "without spaces" },
  { about: "an empty list of credentials", yaml: provider("{ kind: openai, credential: [] }"), line: 2, path: "providers.mine.credential", says: "a list of its keys, or none; found a list" },
  { about: "a list of credentials with one that is none", yaml: "providers:\n  mine:\n    kind: openai\n    credential:\n      - a\n      - none\n", line: 6, path: "providers.mine.credential[1]", says: "expected the provider's key (printable, without spaces); found something else, not shown here" },
  { about: "a list of credentials with one that is a number", yaml: provider("{ kind: openai, credential: [1, b] }"), line: 2, path: "providers.mine.credential[0]", says: "not shown here" },
  { about: "a text of credentials with nothing between two commas", yaml: provider('{ kind: openai, credential: "a,,b" }'), line: 2, path: "providers.mine.credential", says: "not shown here" },
  { about: "a collection of data that is neither", yaml: provider("{ kind: openai, credential: none, data_collection: never }"), line: 2, path: "providers.mine.data_collection", says: 'expected one of allow, deny; found "never"' },
  { about: "a zdr that is no switch", yaml: provider("{ kind: openai, credential: none, zdr: 1 }"), line: 2, path: "providers.mine.zdr", says: "expected true or false; found 1" },
  { about: "no base_url where there is no vendor", yaml: provider("{ kind: openai-compatible }"), line: 2, path: "providers.mine.base_url", says: "is missing; kind openai-compatible needs it" },
  { about: "a base_url that is none", yaml: provider("{ kind: openai-compatible, base_url: 127.0.0.1:8080 }"), line: 2, path: "providers.mine.base_url", says: "expected an http or https URL" },
  { about: "a base_url of another protocol", yaml: provider("{ kind: openai-compatible, base_url: ftp://a/v1 }"), line: 2, path: "providers.mine.base_url", says: "http or https" },
  { about: "a base_url with a password", yaml: provider('{ kind: openai-compatible, base_url: "http://u:p@a/v1" }'), line: 2, path: "providers.mine.base_url", says: "without user" },
  { about: "a base_url with a query", yaml: provider('{ kind: openai-compatible, base_url: "http://a/v1?x=1" }'), line: 2, path: "providers.mine.base_url", says: "query" },
  { about: "an http2 that is no switch", yaml: provider("{ kind: openai, credential: none, http2: 2 }"), line: 2, path: "providers.mine.http2", says: "expected true or false; found 2" },
  { about: "a prefill that is no switch", yaml: provider("{ kind: openai, credential: none, prefill: perhaps }"), line: 2, path: "providers.mine.prefill", says: 'expected true or false; found "perhaps"' },
  { about: "a setting in another spelling", yaml: "providers:\n  mine:\n    kind: openai-compatible\n    credential: none\n    baseURL: http://a\n    base_url: http://a\n", line: 5, path: "providers.mine.baseURL", says: 'did you mean "base_url"?' },
  { about: "a provider with the simulator's name", yaml: "providers:\n  sim: { kind: openai, credential: none }\n", line: 2, path: "providers.sim", says: "built-in simulator" },
  { about: "a provider's name with a slash", yaml: "providers:\n  a/b: { kind: openai, credential: none }\n", line: 2, path: 'providers["a/b"]', says: "stands before the '/'" },
  // models
  { about: "a route without candidates", yaml: `${PROVIDERS}models:\n  fast: { retries: 1 }\n`, line: 5, path: "models.fast.candidates", says: "is missing; expected a list of candidates" },
  { about: "an empty list of candidates", yaml: `${PROVIDERS}models:\n  fast:\n    candidates: []\n`, line: 6, path: "models.fast.candidates", says: "at least one candidate" },
  { about: "an empty route", yaml: `${PROVIDERS}models:\n  fast:\n`, line: 5, path: "models.fast", says: "is empty" },
  { about: "a candidate that is a text", yaml: candidate("openai/m"), line: 7, path: "models.fast.candidates[0]", says: 'expected a map of settings; found "openai/m"' },
  { about: "an unknown provider", yaml: candidate("{ provider: opnai, model: m }"), line: 7, path: "models.fast.candidates[0].provider", says: '"opnai" is not a provider of this file (openai, local, sim); did you mean "openai"?' },
  { about: "a provider of the environment, which a file leaves out", yaml: candidate("{ provider: groq, model: m }"), line: 7, path: "models.fast.candidates[0].provider", says: "is not a provider of this file" },
  { about: "a second candidate, unknown", yaml: candidate("{ provider: sim, model: a }\n      - provider: cloud\n        model: b"), line: 8, path: "models.fast.candidates[1].provider", says: '"cloud"' },
  { about: "no model", yaml: candidate("{ provider: openai }"), line: 7, path: "models.fast.candidates[0].model", says: "is missing; expected the provider's name for the model" },
  { about: "a model that is a number", yaml: candidate("{ provider: openai, model: 4 }"), line: 7, path: "models.fast.candidates[0].model", says: "found 4" },
  { about: "a weight of nothing", yaml: candidate("{ provider: openai, model: m, weight: 0 }"), line: 7, path: "models.fast.candidates[0].weight", says: "above 0" },
  { about: "a weight in words", yaml: candidate("{ provider: openai, model: m, weight: heavy }"), line: 7, path: "models.fast.candidates[0].weight", says: 'found "heavy"' },
  { about: "a model's name with a space", yaml: `${PROVIDERS}models:\n  "my model":\n    candidates: [{ provider: sim, model: m }]\n`, line: 5, path: 'models["my model"]', says: "no space" },
  // routes
  { about: "an unknown strategy", yaml: route("strategy: weigthed"), line: 7, path: "models.fast.strategy", says: 'did you mean "weighted"?' },
  { about: "an unknown setting", yaml: route("retires: 2"), line: 7, path: "models.fast.retires", says: 'did you mean "retries"?' },
  { about: "an unknown timer", yaml: route("timers: { first_contents: 2s }"), line: 7, path: "models.fast.timers.first_contents", says: 'did you mean "first_content"?' },
  { about: "a timer without its unit", yaml: route("timers: { connect: 2 }"), line: 7, path: "models.fast.timers.connect", says: "a duration with its unit, such as 250ms, 2s or 10m (above 0, at most 24d); found 2" },
  { about: "a timer of zero", yaml: route("timers: { idle: 0s }"), line: 7, path: "models.fast.timers.idle", says: "above 0" },
  { about: "a timer that the runtime would fire at once", yaml: route("timers: { total: 25d }"), line: 7, path: "models.fast.timers.total", says: "at most 24d" },
  { about: "timers that are one", yaml: route("timers: 30s"), line: 7, path: "models.fast.timers", says: 'expected a map of settings; found "30s"' },
  { about: "half a retry", yaml: route("retries: 1.5"), line: 7, path: "models.fast.retries", says: "a whole number from 0 to 20; found 1.5" },
  { about: "too many retries", yaml: route("retries: 1000"), line: 7, path: "models.fast.retries", says: "from 0 to 20" },
  { about: "fewer retries than none", yaml: route("retries: -1"), line: 7, path: "models.fast.retries", says: "found -1" },
  { about: "a drain without its seconds", yaml: route("on_disconnect: drain"), line: 7, path: "models.fast.on_disconnect", says: "cancel, drain:<seconds> or detach" },
  { about: "a drain in minutes", yaml: route("on_disconnect: drain:5m"), line: 7, path: "models.fast.on_disconnect", says: 'found "drain:5m"' },
  { about: "an unknown continuation", yaml: route("continuation: yes"), line: 7, path: "models.fast.continuation", says: "one of off, prefill" },
  { about: "an unknown commit", yaml: route("commit: header"), line: 7, path: "models.fast.commit", says: 'did you mean "headers"?' },
  { about: "candidates among the defaults", yaml: "defaults:\n  candidates: []\n", line: 2, path: "defaults.candidates", says: "is not known here" },
  { about: "a broken default", yaml: "defaults:\n  on_disconnect: wait\n", line: 2, path: "defaults.on_disconnect", says: 'found "wait"' },
  // prices
  { about: "a list of prices", yaml: "prices:\n  - 1\n", line: 1, path: "prices", says: "expected a map of prices by provider/model; found a list" },
  { about: "an empty price", yaml: "prices:\n  sim/story:\n", line: 2, path: 'prices["sim/story"]', says: "is empty; expected a map of settings" },
  { about: "a price that is one number", yaml: "prices:\n  sim/story: 0.15\n", line: 2, path: 'prices["sim/story"]', says: "expected a map of settings; found 0.15" },
  { about: "a price without its output", yaml: "prices:\n  sim/story: { input: 1 }\n", line: 2, path: 'prices["sim/story"].output', says: "is missing; expected USD per million tokens" },
  { about: "a price below nothing", yaml: "prices:\n  sim/story:\n    input: -0.1\n    output: 1\n", line: 3, path: 'prices["sim/story"].input', says: "found -0.1" },
  { about: "a price with its currency", yaml: "prices:\n  sim/story:\n    input: 1\n    output: $2\n", line: 4, path: 'prices["sim/story"].output', says: 'found "$2"' },
  { about: "a price finer than a pico-dollar", yaml: "prices:\n  sim/story: { input: 0.1234567, output: 1 }\n", line: 2, path: 'prices["sim/story"].input', says: "6 decimals at most); found 0.1234567" },
  { about: "a price beyond exact numbers", yaml: "prices:\n  sim/story: { input: 10000000000, output: 1 }\n", line: 2, path: 'prices["sim/story"].input', says: "found 10000000000" },
  { about: "a switch for a price", yaml: "prices:\n  sim/story: { input: true, output: 1 }\n", line: 2, path: 'prices["sim/story"].input', says: "found true" },
  { about: "a price per call finer than a pico-dollar", yaml: "prices:\n  sim/story: { input: 1, output: 1, request: 0.0000000000001 }\n", line: 2, path: 'prices["sim/story"].request', says: "expected USD per call" },
  { about: "a misspelt price", yaml: "prices:\n  sim/story: { input: 1, output: 1, cachewrite: 1 }\n", line: 2, path: 'prices["sim/story"].cachewrite', says: 'did you mean "cache_write"?' },
  { about: "a price of no provider", yaml: "prices:\n  gpt-4o: { input: 1, output: 1 }\n", line: 2, path: "prices.gpt-4o", says: "is named by provider and model" },
  { about: "a price of no model", yaml: "prices:\n  sim/: { input: 1, output: 1 }\n", line: 2, path: 'prices["sim/"]', says: "such as openai/gpt-4o-mini" },
  { about: "a price of an unknown provider", yaml: `${PROVIDERS}prices:\n  opnai/gpt-4o: { input: 1, output: 1 }\n`, line: 5, path: 'prices["opnai/gpt-4o"]', says: '"opnai" is not a provider of this file (openai, local, sim); did you mean "openai"?' },
  { about: "a price of a script", yaml: "prices:\n  sim/story:tokens=9: { input: 1, output: 1 }\n", line: 2, path: 'prices["sim/story:tokens=9"]', says: "expected sim/story" },
  { about: "an unknown way with the unpriced", yaml: "unpriced: alow\n", line: 1, path: "unpriced", says: 'expected one of refuse, allow; found "alow"; did you mean "allow"?' },
  // streams
  { about: "an unknown durability", yaml: "streams:\n  durability: disk\n", line: 2, path: "streams.durability", says: "one of memory, process, power" },
  { about: "a size without its unit", yaml: "streams:\n  keep: 10m\n  max_bytes: 8000000\n", line: 3, path: "streams.max_bytes", says: "a size with its unit, such as 512KB, 8MB or 1GB (above 0); found 8000000" },
  { about: "a size in small letters", yaml: "streams:\n  total_bytes: 1gb\n", line: 2, path: "streams.total_bytes", says: 'found "1gb"' },
  { about: "a size of nothing", yaml: "streams: { max_bytes: 0MB }\n", line: 1, path: "streams.max_bytes", says: "above 0" },
  { about: "a keep that is no time", yaml: "streams: { keep: forever }\n", line: 1, path: "streams.keep", says: 'found "forever"' },
  // server
  { about: "a port out of range", yaml: "server:\n  port: 70000\n", line: 2, path: "server.port", says: "a whole number from 0 to 65535; found 70000" },
  { about: "a port in words", yaml: "server:\n  port: http\n", line: 2, path: "server.port", says: 'found "http"' },
  { about: "a port that is a list", yaml: "server:\n  port: [4000]\n", line: 2, path: "server.port", says: "found a list" },
  { about: "an empty port", yaml: "server:\n  port:\n", line: 2, path: "server.port", says: "is empty; expected a whole number" },
  { about: "a host with its port", yaml: "server:\n  host: http://localhost\n", line: 2, path: "server.host", says: "a host name or address" },
  { about: "a misspelt limit", yaml: "server:\n  bodylimit: 1MB\n", line: 2, path: "server.bodylimit", says: 'did you mean "body_limit"?' },
  { about: "a heartbeat of zero", yaml: "server: { heartbeat: 0s }\n", line: 1, path: "server.heartbeat", says: "above 0" },
  { about: "cors as a switch", yaml: "server:\n  cors: true\n", line: 2, path: "server.cors", says: "a list of origins; found true" },
  { about: "an origin with a path", yaml: "server:\n  cors:\n    - https://a.example\n    - https://b.example/app\n", line: 4, path: "server.cors[1]", says: "an origin such as" },
  // the environment
  { about: "an unset variable", yaml: "providers:\n  mine:\n    kind: openai\n    credential: ${NOT_SET}\n", line: 4, path: "providers.mine.credential", says: "the environment variable NOT_SET is not set" },
  { about: "an unset variable inside a text", yaml: "server:\n  host: a.${NOT_SET}.b\n", line: 2, path: "server.host", says: "NOT_SET" },
  { about: "an unset variable further down in a text", yaml: "server:\n  host: |\n    one\n    ${NOT_SET}\n", line: 4, path: "server.host", says: "NOT_SET" },
  { about: "a name that every object has", yaml: "server: { host: '${constructor}' }\n", line: 1, path: "server.host", says: "constructor is not set" },
  { about: "a reference that is not closed", yaml: "server:\n  host: ${NAME\n", line: 2, path: "server.host", says: "after '${'" },
  { about: "a reference that is not closed, in braces", yaml: "server: { host: ${NAME, port: 1 }\n", line: 1, path: "server.host", says: "after '${'" },
  { about: "a reference to nothing", yaml: "server: { host: ${}, port: 1 }\n", line: 1, path: "server.host", says: "after '${'" },
  { about: "a reference in a name", yaml: "models:\n  ${NAME}: {}\n", line: 2, path: 'models["${NAME}"]', says: "not in names" },
  { about: "a port that the environment has wrong", yaml: "server:\n  port: ${WORD}\n", line: 2, path: "server.port", says: 'found "${WORD}"' },
]
