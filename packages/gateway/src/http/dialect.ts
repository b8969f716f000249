/** In which language a caller is answered: the mount says so; at `/v1` a header, else the user agent may. */
import type { IncomingHttpHeaders } from "node:http"
import type { Dialect } from "@sluice/protocol"
import { dialects } from "@sluice/protocol/dialects"
import type { Mount } from "../call.ts"
import { GatewayError } from "../gateway-error.ts"

type Served = keyof typeof dialects

/** What the systems' SDKs call themselves; their version numbers there are not to be trusted. */
const USER_AGENTS: readonly (readonly [RegExp, Served])[] = [
  [/@r9s\/sdk/, "r9s"],
  [/atoma-sdk/, "atoma"],
  [/@orq-ai\/node|orq-ai-sdk/, "orq"],
  [/@openrouter\/sdk/, "openrouter"],
]

export type DialectRule = "mount" | "header" | "key" | "user-agent"

export function chooseDialect(
  mount: Mount,
  headers: IncomingHttpHeaders,
  /** The key's own setting, once it is known whose call it is. */
  ofKey: Served | null = null,
): { dialect: Dialect; rule: DialectRule } {
  if (!mount.listens) return { dialect: dialects[mount.dialect], rule: "mount" }
  const asked = headers["sluice-dialect"]
  if (asked !== undefined) {
    if (typeof asked === "string" && Object.hasOwn(dialects, asked)) {
      return { dialect: dialects[asked as Served], rule: "header" }
    }
    throw new GatewayError(
      "invalid_request",
      `'sluice-dialect' must be one of ${Object.keys(dialects).join(", ")}.`,
      {
        param: "sluice-dialect",
      },
    )
  }
  if (ofKey !== null) return { dialect: dialects[ofKey], rule: "key" }
  const userAgent = headers["user-agent"] ?? ""
  const known = USER_AGENTS.find(([pattern]) => pattern.test(userAgent))
  if (known !== undefined) return { dialect: dialects[known[1]], rule: "user-agent" }
  return { dialect: dialects[mount.dialect], rule: "mount" }
}
