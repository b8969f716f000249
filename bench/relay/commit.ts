/** Sluice as another commit has it, in a folder of its own, ready to be started beside this one. */
import { spawnSync } from "node:child_process"
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { mustRun, root, runCommand } from "../../scripts/house.ts"

export interface Checkout {
  /** What the tables call it. */
  readonly name: string
  readonly tree: string
  readonly version?: string
  /** Git knows of it until then. */
  remove(): void
}

/** `tree` must not exist yet. */
export async function checkOut(commit: string, tree: string): Promise<Checkout> {
  const asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^{commit}`]
  const { code, output } = await runCommand("git", asked)
  if (code !== 0) throw new RangeError(`--compare: there is no commit called ${commit}`)
  const hash = output.trim()
  const remove = (): void => {
    process.off("exit", remove)
    spawnSync("git", ["worktree", "remove", "--force", tree], { cwd: root })
  }
  process.once("exit", remove)
  await mustRun("git", ["worktree", "add", "--quiet", "--detach", tree, hash])
  const lock = (folder: string): string => readFileSync(join(folder, "package-lock.json"), "utf8")
  if (lock(tree) === lock(root)) linkModules(tree)
  else await install(tree)
  const short = hash.slice(0, 7)
  return { name: `sluice@${short}`, tree, version: short, remove }
}

/** The modules installed here, but its own packages: a link to our whole folder would run our sources under its name. */
function linkModules(tree: string): void {
  const [ours, its] = [join(root, "node_modules"), join(tree, "node_modules")]
  mkdirSync(its)
  for (const entry of readdirSync(ours)) {
    if (entry === "@sluice")
      cpSync(join(ours, entry), join(its, entry), { recursive: true, verbatimSymlinks: true })
    else symlinkSync(join(ours, entry), join(its, entry))
  }
  for (const folder of globSync("packages/*/node_modules", { cwd: root }))
    symlinkSync(join(root, folder), join(tree, folder))
}

async function install(tree: string): Promise<void> {
  console.error("installing the packages of the commit to compare with …")
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
  await mustRun("npm", ["ci", "--omit=dev", "--ignore-scripts", ...quiet], { cwd: tree })
}
