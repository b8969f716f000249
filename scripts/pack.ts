/**
 * `node scripts/pack.ts FOLDER`: builds the published packages and packs them into FOLDER, the same bytes each time.
 *
 * In the checkout a package's exports point at its sources, which Node runs as they are. Node strips no types under
 * node_modules, so what is published is a staged copy: JavaScript and declarations in dist/, and exports that say so.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join, resolve } from "node:path"
import { mustRun, root } from "./house.ts"

/** In the order in which they build: each after those that it imports. */
export const PUBLISHED = ["protocol", "sdk", "gateway", "cli"] as const

/** What belongs to a package besides its sources. */
const EXTRAS = ["bin", "README.md", "sluice.schema.json"]

interface Manifest {
  readonly name: string
  readonly exports: Record<string, string>
  readonly [member: string]: unknown
}

/** Gives the tarballs' paths. */
export async function pack(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  mkdirSync(join(root, ".cache"), { recursive: true })
  // Inside the repository, so that the compiler finds what npm has installed there.
  const stage = mkdtempSync(join(root, ".cache/pack-"))
  try {
    mkdirSync(join(stage, "node_modules/@sluice"), { recursive: true })
    const tarballs: string[] = []
    for (const name of PUBLISHED) {
      await build(name, stage)
      tarballs.push(await packOne(join(stage, name), folder))
    }
    return tarballs
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

/** Stages one package; the later ones see it as an installed one, exports and all. */
async function build(name: string, stage: string): Promise<void> {
  const from = join(root, "packages", name)
  const to = join(stage, name)
  mkdirSync(to)
  for (const extra of EXTRAS) {
    if (existsSync(join(from, extra))) cpSync(join(from, extra), join(to, extra), { recursive: true })
  }
  for (const script of globSync("bin/*", { cwd: to })) chmodSync(join(to, script), 0o755)
  cpSync(join(root, "LICENSE"), join(to, "LICENSE"))
  const manifest: Manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8"))
  writeFileSync(join(to, "package.json"), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`)

  cpSync(join(from, "src"), join(to, "src"), { recursive: true })
  const config = {
    extends: join(root, "tsconfig.build.json"),
    compilerOptions: { rootDir: "src", outDir: "dist" },
    include: ["src"],
    exclude: ["**/*.test.ts", "**/*.suite.ts"],
  }
  writeFileSync(join(to, "tsconfig.json"), JSON.stringify(config))
  await mustRun(join(root, "node_modules/.bin/tsc"), ["-p", join(to, "tsconfig.json"), "--pretty", "false"])
  copyAssets(join(to, "src"), join(to, "dist"))
  rmSync(join(to, "src"), { recursive: true })
  rmSync(join(to, "tsconfig.json"))
  symlinkSync(to, join(stage, "node_modules/@sluice", name))
}

/** What is served as it is, such as the gateway's page: the compiler leaves it where it was. */
function copyAssets(from: string, to: string): void {
  for (const path of globSync("**/*.*", { cwd: from, exclude: ["**/*.ts"] }))
    cpSync(join(from, path), join(to, path))
}

function publishedManifest(manifest: Manifest): Manifest {
  const exports = Object.entries(manifest.exports).map(([entry, source]) => {
    const built = source.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "")
    return [entry, { types: `${built}.d.ts`, default: `${built}.js` }]
  })
  return { ...manifest, exports: Object.fromEntries(exports) }
}

async function packOne(from: string, folder: string): Promise<string> {
  const printed = await mustRun(
    "npm",
    ["pack", "--json", "--loglevel=error", "--ignore-scripts", "--pack-destination", folder],
    {
      cwd: from,
    },
  )
  const filename = /"filename": "([^"]+)"/.exec(printed)?.[1]
  if (filename === undefined) throw new Error(`npm pack did not say what it packed:\n${printed}`)
  return join(folder, filename)
}

if (import.meta.main) {
  const folder = process.argv[2]
  if (folder === undefined) {
    console.error("usage: node scripts/pack.ts FOLDER")
    process.exit(2)
  }
  for (const tarball of await pack(resolve(folder))) console.log(tarball)
}
