import assert from "node:assert/strict"
import { test } from "node:test"
import { forbiddenWords } from "./words.ts"

// Put together here, so that this file does not hold what it forbids.
const slash = "/"

test("a path of one machine is found, with its line and what to do instead", () => {
  const [found, ...more] = forbiddenWords("a.ts", `\nconst folder = "${slash}tmp${slash}x"`)
  assert.deepEqual(more, [])
  assert.match(found ?? "", /^a\.ts:2 has .*import\.meta\.dirname/)
})

test("a path below another folder is no path of one machine", () => {
  assert.deepEqual(forbiddenWords("a.ts", 'open("../tmp/x", "var/root/", "https://a.example/work/")'), [])
})

test("a mirror in the lock is found, the public registry and workspaces are not", () => {
  const lock = (host: string) => `"resolved": "${host}/a/-/a-1.0.0.tgz"`
  assert.equal(forbiddenWords("package-lock.json", lock("https://mirror.example")).length, 1)
  assert.deepEqual(forbiddenWords("package-lock.json", lock("https://registry.npmjs.org")), [])
  assert.deepEqual(forbiddenWords("package-lock.json", '"resolved": "packages/sdk"'), [])
})

test("a registry in .npmrc is found", () => {
  assert.equal(forbiddenWords(".npmrc", "audit=false\nregistry=https://mirror.example/").length, 1)
})

test("what looks like a secret is found, a made-up short key is not", () => {
  assert.equal(forbiddenWords("a.md", `key: sk-${"a1".repeat(20)}`).length, 1)
  assert.deepEqual(forbiddenWords("a.md", "key: sk-test"), [])
  assert.deepEqual(forbiddenWords("a.test.ts", `key: sk-${"a1".repeat(20)}`), [])
})

test("a merge left half done is found", () => {
  assert.equal(forbiddenWords("a.md", `one\n${"<".repeat(7)} HEAD\n`).length, 1)
})
