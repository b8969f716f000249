/** Whether `npm ci` will take the lock, on this platform and on others. */

interface Locked {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

export interface Lock {
  readonly packages: Record<string, Locked>
}

/**
 * One sentence per dependency that the lock does not hold. It happens when a registry lacks a platform's package: the
 * install that wrote the lock went on without it, and every later `npm ci` refuses.
 */
export function lockFaults({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !placesOf(path, name).some((place) => place in packages))
      .map(
        (name) =>
          `package-lock.json does not hold ${name}, which ${path || "the root"} names: npm ci would refuse`,
      ),
  )
}

/** Where Node would look for it, nearest first. */
function placesOf(path: string, name: string): string[] {
  const parts = path === "" ? [] : path.split("/node_modules/")
  const folders = parts.map((_, index) => parts.slice(0, index + 1).join("/node_modules/")).reverse()
  return [...folders.map((folder) => `${folder}/node_modules/${name}`), `node_modules/${name}`]
}
