/** Which gateway a command speaks to, and with which key. A key is never an argument: others can read those. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Misuse } from "./flags.ts"
import type { Terminal } from "./terminal.ts"

export interface Connection {
  /** The gateway itself: what stands before `/admin`. */
  readonly root: string
  /** What stands before `/chat/completions`. */
  readonly baseURL: string
  readonly key: string
  /** Where the key was found, for whoever is told that it was refused. */
  readonly keyFrom: string
}

export const CONNECTION_FLAGS = {
  url: { type: "string" },
  "key-file": { type: "string" },
} as const

/** `user`: for calls. `admin`: for the books. */
type Role = "user" | "admin"

const VARIABLES: Record<Role, string> = { user: "SLUICE_API_KEY", admin: "SLUICE_ADMIN_KEY" }

export function connectionHelp(role: Role): string {
  return `where
  --url URL          the gateway (default $SLUICE_BASE_URL, then http://127.0.0.1:4000)
  --key-file FILE    a file that holds the key (default $${VARIABLES[role]}; for a gateway on this machine
                     then the key that it has minted, in $SLUICE_DATA or ./sluice-data)
`
}

export function readConnection(
  flags: { readonly url?: string; readonly "key-file"?: string },
  role: Role,
  environment: Terminal["environment"],
): Connection {
  const { root, baseURL, isLocal } = readUrl(flags.url, environment)
  return { root, baseURL, ...findKey(flags["key-file"], role, isLocal, environment) }
}

function readUrl(
  flag: string | undefined,
  environment: Terminal["environment"],
): Pick<Connection, "root" | "baseURL"> & { isLocal: boolean } {
  const text = flag ?? (environment["SLUICE_BASE_URL"] || "http://127.0.0.1:4000")
  const from = flag === undefined ? "SLUICE_BASE_URL" : "--url"
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Misuse(`${from} must be an address such as http://127.0.0.1:4000.`)
  if (url.username !== "" || url.password !== "")
    throw new Misuse(`${from} must hold no user and no password: keys come from a file or the environment.`)
  const path = url.pathname.replace(/\/+$/, "")
  const root = url.origin + path.replace(/\/v1$/, "")
  // A mount of another dialect (`…/openrouter/api/v1`) is taken as it stands.
  return {
    root,
    baseURL: /\/v\d+(\/|$)/.test(path) ? url.origin + path : `${url.origin}${path}/v1`,
    isLocal: /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname),
  }
}

function findKey(
  file: string | undefined,
  role: Role,
  isLocal: boolean,
  environment: Terminal["environment"],
): Pick<Connection, "key" | "keyFrom"> {
  if (file !== undefined) return { key: checked(readKeyFile(file), file), keyFrom: file }
  const variable = VARIABLES[role]
  const given = environment[variable]?.trim()
  if (given) return { key: checked(given, variable), keyFrom: variable }
  const minted = join(environment["SLUICE_DATA"] || "sluice-data", "dev-key")
  const key = isLocal ? readMinted(minted) : undefined
  if (key !== undefined) return { key: checked(key, minted), keyFrom: minted }
  const where = isLocal ? `, nor has a gateway minted one into ${minted}` : ""
  throw new Misuse(`there is no key: ${variable} is not set${where}. Set it, or name a file with --key-file.`)
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, "utf8").trim()
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown"
    const why: Record<string, string> = {
      ENOENT: "there is no such file",
      EACCES: "this user may not read it",
      EISDIR: "it is a folder",
    }
    throw new Misuse(`--key-file ${file}: ${why[code] ?? `it cannot be read (${code})`}.`)
  }
}

function readMinted(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined
  } catch {
    return undefined
  }
}

/** What cannot be a header's value is no key; it is not shown, as it may be one with a slip in it. */
function checked(key: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw new Misuse(`${from} holds no key: one of printable characters without spaces was expected.`)
}
