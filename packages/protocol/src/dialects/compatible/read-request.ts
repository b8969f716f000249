/** A validated body → the canonical request. The body is not changed, and what is unknown is kept. */
import { isObject, type JsonObject } from "../../json.ts"
import type { ChatRequest } from "../../request.ts"
import { type Members, ownMembers } from "./members.ts"

export function readRequest(body: JsonObject): ChatRequest {
  const request: Members = ownMembers(body)
  const messages: unknown = body["messages"]
  if (Array.isArray(messages)) request["messages"] = messages.map(readMessage)
  // The schema at the door has seen to the types; a dialect only settles which word stands for what.
  return request as Members & ChatRequest
}

/** r9s and many servers say `reasoning_content` where the canonical message says `reasoning`. */
function readMessage(message: unknown): unknown {
  if (!isObject(message)) return message
  const { reasoning_content: alias, ...rest } = ownMembers(message)
  return typeof alias === "string" ? { ...rest, reasoning: rest["reasoning"] ?? alias } : rest
}
