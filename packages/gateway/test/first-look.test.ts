/** The page at `/` as the gateway serves it; the tests beside this one open it in a browser. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { request } from "node:http"
import { after, before, test } from "node:test"
import { call, startTestGateway, type TestGateway } from "./support.ts"

const FOLDER = new URL("../src/first-look/", import.meta.url)
const ASSETS = readdirSync(FOLDER).filter((name) => !name.endsWith(".ts"))

let gateway: TestGateway
before(async () => {
  gateway = await startTestGateway()
})
after(() => gateway.close())

function get(path: string, headers: Record<string, string> = {}) {
  return call(`${gateway.url}${path}`, { key: "", headers })
}

function pathOf(asset: string): string {
  return asset === "index.html" ? "/" : `/first-look/${asset}`
}

test("every file of the page is served without a key, byte for byte, and is what it says it is", async () => {
  const types: Record<string, RegExp> = {
    html: /^text\/html; charset=utf-8$/,
    css: /^text\/css; charset=utf-8$/,
    js: /^text\/javascript; charset=utf-8$/,
    svg: /^image\/svg\+xml$/,
  }
  assert.ok(ASSETS.length > 5)
  for (const asset of ASSETS) {
    const answer = await get(pathOf(asset))
    const { text, complete } = await answer.whole()
    assert.equal(answer.status, 200, asset)
    assert.equal(text, readFileSync(new URL(asset, FOLDER), "utf8"), asset)
    assert.ok(complete)
    assert.match(String(answer.headers["content-type"]), types[asset.split(".").at(-1) ?? ""] ?? /^$/, asset)
  }
})

test("nothing else of the folder is served, and nothing around it", async () => {
  for (const path of [
    "/first-look/serve.ts",
    "/first-look/",
    "/first-look/index.html",
    "/first-look/../app.ts",
    "/first-look/%2e%2e/app.ts",
  ])
    assert.equal((await get(path)).status, 401, path)
})

test("only GET is open: whoever posts to the page needs a key, and finds nothing there", async () => {
  assert.equal((await call(`${gateway.url}/`, { key: "", method: "POST" })).status, 401)
  assert.equal((await call(`${gateway.url}/`, { method: "POST", body: {} })).status, 404)
})

test("no script but the gateway's own can run on the page, nothing foreign is loaded or asked, and nobody frames it", async () => {
  for (const asset of ASSETS) {
    const { headers } = await get(pathOf(asset))
    const policy = new Map(
      String(headers["content-security-policy"])
        .split("; ")
        .map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1).join(" ")]),
    )
    assert.equal(policy.get("default-src"), "'none'", asset)
    for (const own of ["script-src", "style-src", "img-src", "connect-src"])
      assert.equal(policy.get(own), "'self'", own)
    for (const none of ["base-uri", "form-action", "frame-ancestors", "trusted-types"])
      assert.equal(policy.get(none), "'none'", none)
    assert.equal(policy.get("require-trusted-types-for"), "'script'")
    assert.equal(headers["x-content-type-options"], "nosniff")
    assert.equal(headers["referrer-policy"], "no-referrer")
    assert.equal(headers["x-frame-options"], "DENY")
    assert.equal(headers["cross-origin-opener-policy"], "same-origin")
    assert.equal(headers["cross-origin-resource-policy"], "same-origin")
  }
})

test("a browser that has a file already is told so; one that has another gets it", async () => {
  const first = await get("/")
  const etag = String(first.headers.etag)
  assert.match(etag, /^"[\w-]{27}"$/)
  assert.equal(first.headers["cache-control"], "no-cache")
  for (const known of [etag, `"old", ${etag}`, `W/${etag}`]) {
    const again = await get("/", { "if-none-match": known })
    assert.equal(again.status, 304, known)
    assert.deepEqual(await again.whole(), { text: "", complete: true })
    assert.equal(again.headers.etag, etag)
    assert.ok(again.headers["content-security-policy"])
  }
  assert.equal((await get("/", { "if-none-match": '"old"' })).status, 200)
  assert.notEqual((await get("/first-look/main.js")).headers.etag, etag)
})

test("on loopback the page is not given to a foreign name or a foreign page", async () => {
  assert.equal(await statusAs("gateway.example"), 403)
  assert.equal(await statusAs("127.0.0.1"), 200)
  assert.equal((await get("/", { origin: "https://evil.example" })).status, 403)
})

test("whatever the page names is served: links, scripts, styles, and what the scripts import", async () => {
  const page = readFileSync(new URL("index.html", FOLDER), "utf8")
  const linked = [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = ""]) => path)
  const imported = ASSETS.filter((name) => name.endsWith(".js")).flatMap((name) => {
    const source = readFileSync(new URL(name, FOLDER), "utf8")
    return [...source.matchAll(/^import .* from "\.\/([^"]+)"$/gm)].map(
      ([, file = ""]) => `first-look/${file}`,
    )
  })
  assert.ok(linked.length >= 5 && imported.length >= 5)
  for (const path of [...linked, ...imported]) assert.equal((await get(`/${path}`)).status, 200, path)
})

test("the page's words can be read: every text stands out from its ground by 4.5 to 1, light and dark", () => {
  const css = readFileSync(new URL("style.css", FOLDER), "utf8")
  const schemes = [...css.matchAll(/:root \{([^}]+)\}/g)].map(([, body = ""]) =>
    Object.fromEntries(
      [...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour ?? ""]),
    ),
  )
  assert.equal(schemes.length, 2)
  for (const colours of schemes) {
    for (const ground of ["paper", "card"]) {
      for (const text of ["ink", "soft", "water", "red", "tone-1", "tone-2", "tone-3"])
        assert.ok(
          contrast(colours[text] ?? "", colours[ground] ?? "") >= 4.5,
          `${text} on ${ground}: ${colours[text]}`,
        )
      assert.ok(
        contrast(colours["edge"] ?? "", colours[ground] ?? "") >= 3,
        `the edge of a field on ${ground}`,
      )
    }
    assert.ok(contrast(colours["on-water"] ?? "", colours["water"] ?? "") >= 4.5)
  }
})

/** By WCAG 2.2. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  assert.match(colour, /^#[0-9a-f]{6}$/)
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function statusAs(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(gateway.url, { headers: { host }, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.once("error", reject)
    asked.end()
  })
}
