import assert from "node:assert/strict"
import { test } from "node:test"
import { dependencyFaults } from "./dependency-lines.ts"

const manifests = [
  { name: "sluice", devDependencies: { esbuild: "1" } },
  {
    name: "@sluice/gateway",
    dependencies: { "@sluice/protocol": "1", undici: "1" },
    peerDependencies: { zod: "4" },
  },
]
const document = "# Dependencies\n- `esbuild`: …\n- `undici`: …\n- `zod`: …\n"

test("a document with a line for each, our own packages aside, has no fault", () => {
  assert.deepEqual(dependencyFaults(manifests, document), [])
})

test("a dependency without a line is named", () => {
  assert.deepEqual(dependencyFaults(manifests, document.replace("- `zod`: …\n", "")), [
    "zod has no line in docs/dependencies.md",
  ])
})

test("a line whose dependency is gone is named, and so is a second one", () => {
  assert.deepEqual(dependencyFaults(manifests, `${document}- \`lodash\`: …\n- \`zod\`: …\n`), [
    "docs/dependencies.md has a line for lodash, which no package.json names",
    "docs/dependencies.md has two lines for zod",
  ])
})
