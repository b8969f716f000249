// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { CREDENTIAL, EXAMPLE, load, refusal } from "../test/config-support.ts"
import { describeConfig, isLoopback, type LoadOptions, loadConfig, type Secret } from "./config.ts"
import { KNOWN_PROVIDERS } from "./providers/known-providers.ts"

function folderOf(context: TestContext, files: Record<string, string | Uint8Array> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-config-"))
  context.after(() => rmSync(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

function revealed(credentials: readonly Secret[] = []): string[] {
  return credentials.map((credential) => credential.reveal())
}

// ── values ──

test("the design's example means what it says", () => {
  const config = load(EXAMPLE, { environment: { OPENAI_API_KEY: CREDENTIAL } })
  assert.deepEqual(
    config.providers.map(({ credentials, ...provider }) => ({
      ...provider,
      credentials: revealed(credentials),
    })),
    [
      {
        name: "openai",
        kind: "openai",
        baseUrl: "https://api.openai.com/v1",
        prefill: false,
        http2: false,
        policy: { dataCollection: undefined, zdr: false },
        credentials: [CREDENTIAL],
      },
      {
        name: "local",
        kind: "openai-compatible",
        baseUrl: "http://127.0.0.1:8080/v1",
        prefill: true,
        http2: false,
        policy: { dataCollection: undefined, zdr: false },
        credentials: [],
      },
    ],
  )
  assert.deepEqual(config.models, [
    {
      name: "fast",
      candidates: [
        { provider: "openai", model: "gpt-4o-mini", weight: 3 },
        { provider: "local", model: "llama", weight: 1 },
      ],
      strategy: "weighted",
      timers: { connect: 2_000, firstContent: 10_000, idle: 30_000, total: 600_000 },
      retries: 2,
      onDisconnect: { rule: "drain", milliseconds: 30_000 },
      continuation: "prefill",
      commit: "content",
    },
  ])
  assert.deepEqual(config.streams, {
    durability: "process",
    keep: 600_000,
    maxBytes: 8 << 20,
    totalBytes: 1 << 30,
    keepContent: 604_800_000,
  })
  assert.deepEqual(config.server, {
    host: "127.0.0.1",
    port: 4000,
    bodyLimit: 32 << 20,
    heartbeat: 15_000,
    drain: 30_000,
    cors: [],
  })
})

test("the built-in values are those that the example's defaults, streams and server write out", () => {
  const written = load(EXAMPLE, { environment: { OPENAI_API_KEY: CREDENTIAL } })
  for (const yaml of ["", "{}", "# nothing\n", "defaults:\nstreams:\nserver:\nmodels:\nproviders:\n"]) {
    const builtIn = load(yaml)
    assert.deepEqual(builtIn.defaults, written.defaults)
    assert.deepEqual(builtIn.streams, written.streams)
    assert.deepEqual(builtIn.server, written.server)
    assert.deepEqual([builtIn.providers, builtIn.models], [[], []])
  }
  assert.deepEqual(written.defaults, {
    strategy: "ordered",
    timers: { connect: 5_000, firstContent: 600_000, idle: 300_000, total: 1_800_000 },
    retries: 0,
    onDisconnect: { rule: "cancel" },
    continuation: "off",
    commit: "content",
  })
})

test("timers merge singly: built in, then the defaults, then the route", () => {
  const config = load(`
models:
  own: { candidates: [{ provider: sim, model: a }], timers: { idle: 3s } }
  plain: { candidates: [{ provider: sim, model: a }] }
defaults: { timers: { connect: 1s, idle: 2s }, retries: 1, on_disconnect: detach, commit: headers }
`)
  const below = { connect: 1_000, firstContent: 600_000, total: 1_800_000 }
  assert.deepEqual(config.defaults.timers, { ...below, idle: 2_000 })
  assert.deepEqual(config.models[0]?.timers, { ...below, idle: 3_000 })
  assert.deepEqual(config.models[1], {
    name: "plain",
    candidates: [{ provider: "sim", model: "a", weight: 1 }],
    ...config.defaults,
  })
  assert.deepEqual(config.models[1]?.onDisconnect, { rule: "detach" })
})

test("each kind knows where its vendor lives, and can be pointed elsewhere", () => {
  const known = KNOWN_PROVIDERS.filter(({ baseUrl }) => baseUrl !== undefined)
  const urls = (settings: string): string[] =>
    load(
      `providers:\n${known.map(({ name }) => `  my-${name}: { kind: ${name}, credential: none${settings} }\n`).join("")}`,
    ).providers.map(({ baseUrl }) => baseUrl)
  assert.deepEqual(
    urls(""),
    known.map(({ baseUrl }) => baseUrl),
  )
  assert.equal(urls("")[0], "https://api.openai.com/v1")
  assert.deepEqual(new Set(urls(", base_url: http://localhost:9/v1/")), new Set(["http://localhost:9/v1"]))
})

test("an engine on one's own machine needs neither address nor credential; azure needs both", () => {
  const [ollama, azure] = load(`
providers:
  ollama: { kind: ollama }
  work: { kind: azure, base_url: https://mine.openai.azure.com/openai/v1, credential: k }
`).providers
  assert.deepEqual([ollama?.baseUrl, ollama?.credentials], ["http://127.0.0.1:11434/v1", []])
  assert.deepEqual(
    [azure?.kind, azure?.baseUrl, revealed(azure?.credentials)],
    ["azure", "https://mine.openai.azure.com/openai/v1", ["k"]],
  )
})

test("a provider has one credential or several: a list, or a text with commas; the same one twice is one", () => {
  const { providers } = load(
    `
providers:
  one: { kind: openai, credential: a }
  list: { kind: openai, credential: [a, "\${MORE}", a] }
  text: { kind: openai, credential: "\${MORE}" }
  none: { kind: openai, credential: none }
`,
    { environment: { MORE: "b, c,b" } },
  )
  assert.deepEqual(
    providers.map(({ credentials }) => revealed(credentials)),
    [["a"], ["a", "b", "c"], ["b", "c"], []],
  )
})

test("what happens to data at a provider is what its operator declares", () => {
  const { providers } = load(`
providers:
  careful: { kind: openrouter, credential: none, data_collection: deny, zdr: true }
  curious: { kind: openrouter, credential: none, data_collection: allow, zdr: "false" }
  silent: { kind: openrouter, credential: none }
`)
  assert.deepEqual(
    providers.map(({ policy }) => policy),
    [
      { dataCollection: "deny", zdr: true },
      { dataCollection: "allow", zdr: false },
      { dataCollection: undefined, zdr: false },
    ],
  )
})

test("who is known to go on with an assistant's turn does so, unless the file says otherwise", () => {
  const { providers } = load(`
providers:
  a: { kind: vllm }
  b: { kind: vllm, prefill: false }
  c: { kind: openai, credential: none, prefill: true }
  d: { kind: llama.cpp }
`)
  assert.deepEqual(
    providers.map(({ prefill }) => prefill),
    [true, false, true, false],
  )
})

test("a model may be named like a provider's, like a number or like what every object has", () => {
  const names = ["openai/gpt-4o", "4", "constructor", "toString", "hasOwnProperty", "a.b:c"]
  const config = load(
    `models:\n${names.map((name) => `  "${name}": { candidates: [{ provider: sim, model: m }] }\n`).join("")}`,
  )
  assert.deepEqual(config.models.map(({ name }) => name).toSorted(), names.toSorted())
})

test("an anchor is written once and used in many places", () => {
  const config = load(`
models:
  a: { candidates: &all [{ provider: sim, model: m }], timers: &short { idle: 1s } }
  b: { candidates: *all, timers: *short }
`)
  assert.deepEqual({ ...config.models[1], name: "a" }, config.models[0])
})

test("a configuration is frozen all the way down", () => {
  const config = load(EXAMPLE, { environment: { OPENAI_API_KEY: CREDENTIAL } })
  const inside = [
    config,
    config.providers,
    config.models[0]?.candidates[0],
    config.models[0]?.timers,
    config.server.cors,
  ]
  for (const value of inside) assert.ok(Object.isFrozen(value))
})

test("prices are whole pico-dollars: per token from USD per million, per call from USD", () => {
  const config = load(
    `providers: { openai: { kind: openai, credential: none } }
prices:
  openai/gpt-4o-mini: { input: 0.15, output: 0.60 }
  openai/org/model: { input: \${INPUT}, output: 1.1, cached: 0.0375, cache_write: "18.75", reasoning: 0, request: 0.005 }
  sim/story: { input: 0, output: 0.000001 }
unpriced: allow
`,
    { environment: { INPUT: "2.5" } },
  )
  assert.deepEqual(Object.fromEntries(config.prices), {
    "openai/gpt-4o-mini": { input: 150_000, output: 600_000 },
    "openai/org/model": {
      input: 2_500_000,
      output: 1_100_000,
      cached: 37_500,
      cacheWrite: 18_750_000,
      reasoning: 0,
      request: 5_000_000_000,
    },
    "sim/story": { input: 0, output: 1 },
  })
  assert.ok(Object.isFrozen(config.prices.get("sim/story")))
  assert.equal(config.unpriced, "allow")
  assert.deepEqual([load("").prices.size, load("prices:\n").prices.size, load("").unpriced], [0, 0, "refuse"])
})

// ── the environment inside a file ──

test("the environment is filled into strings, in braces and out of them", () => {
  const config = load(
    `
providers:
  flow: { kind: openai-compatible, base_url: http://127.0.0.1:\${PORT}/v1, credential: \${KEY} }
  block:
    kind: openai-compatible
    base_url: \${SCHEME:-http}://\${HOST:-localhost}:\${PORT}/v1
    credential: "\${KEY}"
server: { port: \${PORT}, host: \${EMPTY:-127.0.0.1}, cors: ["\${ORIGIN:-https://a.example}"] }
# \${NOT_SET} in a comment is a comment
`,
    { environment: { PORT: "8081", KEY: CREDENTIAL, EMPTY: "" } },
  )
  assert.deepEqual(
    config.providers.map(({ baseUrl, credentials }) => [baseUrl, ...revealed(credentials)]),
    [
      ["http://127.0.0.1:8081/v1", CREDENTIAL],
      ["http://localhost:8081/v1", CREDENTIAL],
    ],
  )
  assert.deepEqual(
    [config.server.port, config.server.host, config.server.cors],
    [8081, "127.0.0.1", ["https://a.example"]],
  )
})

test("a default may hold what YAML gives a meaning to", () => {
  const config = load(
    "models: { m: { candidates: [{ provider: sim, model: ${MODEL:-story:tokens=3,gap=5 #1} }] } }",
  )
  assert.equal(config.models[0]?.candidates[0]?.model, "story:tokens=3,gap=5 #1")
})

test("what the environment gives is a value: it is neither YAML nor filled in again", () => {
  const environment = { MODEL: "a: ${OTHER}, } # x" }
  const config = load("models: { m: { candidates: [{ provider: sim, model: ${MODEL} }] } }", { environment })
  assert.equal(config.models[0]?.candidates[0]?.model, environment.MODEL)
})

// ── where it comes from ──

test("the file is that of --config, then SLUICE_CONFIG, then sluice.yaml in the folder", (context) => {
  const yaml = (port: number): string => `server: { port: ${port} }\n`
  const folder = folderOf(context, {
    "sluice.yaml": yaml(1),
    "by-name.yaml": yaml(2),
    "by-flag.yaml": yaml(3),
  })
  const found = (
    flags: LoadOptions["flags"],
    environment: LoadOptions["environment"],
  ): [string | undefined, number] => {
    const config = loadConfig({ flags, environment, folder })
    return [config.file, config.server.port]
  }
  assert.deepEqual(found({ config: "by-flag.yaml" }, { SLUICE_CONFIG: "by-name.yaml" }), ["by-flag.yaml", 3])
  assert.deepEqual(found({}, { SLUICE_CONFIG: join(folder, "by-name.yaml") }), [
    join(folder, "by-name.yaml"),
    2,
  ])
  assert.deepEqual(found({}, { SLUICE_CONFIG: "" }), ["sluice.yaml", 1])
  assert.deepEqual(found({}, {}), ["sluice.yaml", 1])
})

test("without a file, the keys in the environment switch their providers on", (context) => {
  const folder = folderOf(context)
  const variables = KNOWN_PROVIDERS.flatMap(({ variables }) => variables)
  const environment = Object.fromEntries(variables.map((variable) => [variable, `key-in-${variable}`]))
  const config = loadConfig({
    flags: {},
    environment: { ...environment, GROQ_API_KEY: " ", XAI_API_KEY: " key\n", TOGETHER_API_KEY: "one,two" },
    folder,
  })
  const expected = KNOWN_PROVIDERS.filter(
    ({ name, variables, baseUrl }) => name !== "groq" && variables.length > 0 && baseUrl !== undefined,
  ).map(({ name, variables }) => [name, name, `key-in-${variables[0]}`])
  assert.ok(expected.length >= 20)
  assert.deepEqual(
    config.providers
      .filter(({ name }) => name !== "xai" && name !== "together")
      .map(({ name, kind, credentials }) => [name, kind, ...revealed(credentials)]),
    expected.filter(([name]) => name !== "xai" && name !== "together"),
  )
  const credentialsOf = (wanted: string): string[] =>
    revealed(config.providers.find(({ name }) => name === wanted)?.credentials)
  assert.deepEqual(credentialsOf("xai"), ["key"])
  assert.deepEqual(credentialsOf("together"), ["one", "two"])
  assert.equal(config.file, undefined)
  assert.deepEqual(config.notes, [
    "AZURE_OPENAI_API_KEY is set, but azure needs an address of your own: name it in sluice.yaml, with kind azure and base_url https://<your resource>.openai.azure.com/openai/v1",
  ])
})

test("of a provider's variables the first that is set counts", (context) => {
  const environment = { HF_TOKEN: "", HUGGINGFACE_API_KEY: "second" }
  const { providers } = loadConfig({ flags: {}, environment, folder: folderOf(context) })
  assert.deepEqual(
    providers.map(({ name, credentials }) => [name, ...revealed(credentials)]),
    [["huggingface", "second"]],
  )
})

test("a key in the environment that cannot be one is noted, not shown, and does not stop the start", (context) => {
  const config = loadConfig({
    flags: {},
    environment: { OPENAI_API_KEY: "two words" },
    folder: folderOf(context),
  })
  assert.deepEqual(config.providers, [])
  assert.match(config.notes.join(), /^OPENAI_API_KEY is set, but no key/)
  assert.ok(!inspect(config).includes("two words"))
})

test("with a file, only its own providers count", () => {
  assert.deepEqual(load("{}", { environment: { OPENAI_API_KEY: CREDENTIAL } }).providers, [])
})

test("a file that is asked for and cannot be read is a mistake", (context) => {
  const folder = folderOf(context, {
    "latin.yaml": Buffer.from("# é\na: \xe9\nb: 1\n".replace("é", "\xc3\xa9"), "latin1"),
  })
  mkdirSync(join(folder, "folder.yaml"))
  const message = (config: string): string =>
    refusal(() => loadConfig({ flags: { config }, environment: {}, folder })).message
  assert.equal(message("nowhere.yaml"), "nowhere.yaml: there is no such file")
  assert.equal(message("folder.yaml"), "folder.yaml: is a folder; a file was expected")
  assert.equal(message("latin.yaml"), "latin.yaml:2: this is not UTF-8; save the file in that encoding")
})

test("flags win over the file, and are checked like it", () => {
  const config = load("server: { host: 10.0.0.1, port: 1 }", { flags: { host: "127.0.0.2", port: 0 } })
  assert.deepEqual([config.server.host, config.server.port], ["127.0.0.2", 0])
  const error = refusal(() => load("server: { drain: 1 }", { flags: { host: "", port: 65_536 } }))
  assert.deepEqual(
    error.problems.map(({ line, path }) => [line, path]),
    [
      [undefined, "--host"],
      [undefined, "--port"],
      [1, "server.drain"],
    ],
  )
})

test("the data folder is SLUICE_DATA, or sluice-data in the working folder", () => {
  assert.equal(load("", { folder: "/srv" }).dataFolder, "/srv/sluice-data")
  assert.equal(load("", { folder: "/srv", environment: { SLUICE_DATA: "" } }).dataFolder, "/srv/sluice-data")
  assert.equal(load("", { folder: "/srv", environment: { SLUICE_DATA: "kept" } }).dataFolder, "/srv/kept")
  assert.equal(
    load("", { folder: "/srv", environment: { SLUICE_DATA: "/var/sluice" } }).dataFolder,
    "/var/sluice",
  )
})

test("the first keys come from the environment; the two must differ, and neither is shown", () => {
  const { keys } = load("", { environment: { SLUICE_API_KEY: "one\n", SLUICE_ADMIN_KEY: "two" } })
  assert.deepEqual([keys.api?.reveal(), keys.admin?.reveal()], ["one", "two"])
  assert.deepEqual(load("").keys, { api: undefined, admin: undefined })
  const equal = refusal(() =>
    load("", { environment: { SLUICE_API_KEY: CREDENTIAL, SLUICE_ADMIN_KEY: CREDENTIAL } }),
  )
  assert.match(equal.message, /^SLUICE_ADMIN_KEY: must differ from SLUICE_API_KEY/)
  const broken = refusal(() => load("", { environment: { SLUICE_API_KEY: "my secret" } }))
  assert.match(broken.message, /^SLUICE_API_KEY: expected a key/)
  for (const error of [equal, broken])
    assert.ok(!/my secret|sk-provider/.test(inspect(error, { depth: null })))
})

// ── around it ──

test("the start's lines name the file, the live upstreams, the models and the level that is kept", () => {
  const config = load(EXAMPLE, { environment: { OPENAI_API_KEY: CREDENTIAL } })
  assert.deepEqual(describeConfig(config), [
    "configuration: sluice.yaml",
    "upstreams: openai (api.openai.com), local (127.0.0.1:8080), sim (simulator)",
    "models: fast",
    "streams: kept for 10m, durability process",
  ])
  assert.match(
    describeConfig(load("streams: { durability: memory }")).join("\n"),
    /^streams: kept for 10m, durability memory$/m,
  )
})

test("the start's lines count credentials, and say what an imitated endpoint loses", () => {
  const lines = describeConfig(
    load(`
providers:
  claude: { kind: anthropic, credential: [a, b] }
  openai: { kind: openai, credential: a }
`),
  )
  assert.equal(
    lines[1],
    "upstreams: claude (api.anthropic.com, 2 credentials), openai (api.openai.com), sim (simulator)",
  )
  assert.match(
    lines[2]!,
    /^compat: claude, through its OpenAI-compatible endpoint: no prompt caching, and no thinking in answers; /,
  )
  assert.equal(lines.filter((line) => line.startsWith("compat:")).length, 1)
})

test("loopback is what only this machine can reach", () => {
  for (const host of [
    "127.0.0.1",
    "127.8.9.10",
    "localhost",
    "LOCALHOST",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
  ]) {
    assert.ok(isLoopback(host), host)
  }
  for (const host of [
    "0.0.0.0",
    "::",
    "",
    "10.0.0.1",
    "127.0.0.1.example.com",
    "localhost.example",
    "128.0.0.1",
    "::2",
  ]) {
    assert.ok(!isLoopback(host), host)
  }
})
