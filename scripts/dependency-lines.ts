/** Every dependency has its line in docs/dependencies.md, and every line its dependency. */

export interface Manifest {
  readonly name: string
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
}

/** One sentence per dependency without a line and per line without a dependency. */
export function dependencyFaults(manifests: readonly Manifest[], document: string): string[] {
  const wanted = new Set(manifests.flatMap(outsideNames))
  const written = [...document.matchAll(/^- `([^`]+)`/gm)].map(([, name = ""]) => name)
  const missing = [...wanted].filter((name) => !written.includes(name))
  const stale = written.filter((name) => !wanted.has(name))
  const twice = written.filter((name, index) => written.indexOf(name) !== index)
  return [
    ...missing.map((name) => `${name} has no line in docs/dependencies.md`),
    ...stale.map((name) => `docs/dependencies.md has a line for ${name}, which no package.json names`),
    ...twice.map((name) => `docs/dependencies.md has two lines for ${name}`),
  ]
}

function outsideNames({ dependencies, devDependencies, peerDependencies }: Manifest): string[] {
  const names = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies })
  return names.filter((name) => !name.startsWith("@sluice/"))
}
