/** A request's body: JSON, bounded, and nothing in it that JSON parsers disagree about. */
import type { IncomingMessage } from "node:http"
import { isObject, type JsonObject } from "@sluice/protocol"
import { GatewayError } from "../gateway-error.ts"

const MAX_DEPTH = 100
/** JSON Schemas: a bound of 2^63 - 1 in one is somebody's integer type, and reaches the provider as text. */
const SCHEMAS = new Set(["parameters", "schema"])

export async function readJsonBody(request: IncomingMessage, limit: number): Promise<JsonObject> {
  const type = request.headers["content-type"] ?? ""
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new GatewayError(
      "unsupported_media_type",
      `The body must be JSON: send 'Content-Type: application/json'${type === "" ? "" : `, not '${type.slice(0, 100)}'`}.`,
    )
  }
  const encoding = request.headers["content-encoding"]
  if (encoding !== undefined && encoding !== "identity") {
    throw new GatewayError(
      "unsupported_media_type",
      "Compressed request bodies are not accepted. Send it uncompressed.",
    )
  }
  return parseJson(await readBytes(request, limit))
}

async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = (): GatewayError =>
    new GatewayError("payload_too_large", `The body is larger than this gateway takes (${limit} bytes).`)
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge()
  const pieces: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    request.on("data", (piece: Buffer) => {
      size += piece.length
      if (size > limit) {
        request.removeAllListeners("data")
        request.resume()
        reject(tooLarge())
      } else pieces.push(piece)
    })
    request.on("end", () => resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)))
    const broken = (): void => {
      if (!request.complete)
        reject(new GatewayError("invalid_request", "The body ended before it was whole."))
    }
    request.on("error", broken)
    request.on("close", broken)
  })
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

export function parseJson(bytes: Uint8Array): JsonObject {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new GatewayError("invalid_request", "The body is not valid UTF-8.")
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const where = error instanceof SyntaxError ? `: ${error.message.slice(0, 200)}` : ""
    throw new GatewayError("invalid_request", `The body is not valid JSON${where}.`)
  }
  if (!isObject(value)) throw new GatewayError("invalid_request", "The body must be a JSON object.")
  refuseOddities(value)
  return value
}

/** Walks without recursion, so that no nesting can overflow the stack. */
function refuseOddities(root: JsonObject): void {
  const waiting: { value: unknown; path: string; depth: number; inSchema: boolean }[] = [
    { value: root, path: "", depth: 1, inSchema: false },
  ]
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    const { value, path, depth, inSchema } = item
    if (typeof value === "number") {
      if (!Number.isFinite(value)) refuse(path, "a finite number")
      if (!inSchema && Number.isInteger(value) && Math.abs(value) > 2 ** 53)
        refuse(path, "an integer within 2^53")
    } else if (typeof value === "object" && value !== null) {
      if (depth > MAX_DEPTH) refuse(path, `nested at most ${MAX_DEPTH} deep`)
      if (Array.isArray(value)) {
        for (let index = 0; index < value.length; index++) {
          const element: unknown = value[index]
          if (typeof element === "object" || typeof element === "number")
            waiting.push({ value: element, path: `${path}[${index}]`, depth: depth + 1, inSchema })
        }
      } else {
        for (const name of Object.keys(value)) {
          if (name === "__proto__")
            refuse(path === "" ? name : `${path}.${name}`, "absent: this name is not accepted")
          const member: unknown = (value as JsonObject)[name]
          if (typeof member !== "object" && typeof member !== "number") continue
          const memberPath = path === "" ? name : `${path}.${name}`
          waiting.push({
            value: member,
            path: memberPath,
            depth: depth + 1,
            inSchema: inSchema || SCHEMAS.has(name),
          })
        }
      }
    }
  }
}

function refuse(path: string, expected: string): never {
  const param = path.length > 200 ? `${path.slice(0, 200)}…` : path
  throw new GatewayError("invalid_request", `'${param}' must be ${expected}.`, { param })
}
