import assert from "node:assert/strict"
import test from "node:test"
import { build } from "esbuild"

/** The packages that an entry pulls into a bundle. */
async function packagesIn(contents: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
    metafile: true,
  })
  const packages = Object.keys(metafile.inputs).map(
    (path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1],
  )
  return [...new Set(packages.filter((name) => name !== undefined))]
}

test("a bundle of everything but the schemas carries no zod, nor any other package", async () => {
  assert.deepEqual(await packagesIn(`export * from "@sluice/protocol"`), [])
})

test("the schemas need zod and nothing else", async () => {
  assert.deepEqual(await packagesIn(`export * from "@sluice/protocol/schema"`), ["zod"])
})
