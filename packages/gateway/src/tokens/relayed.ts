/** What the events of a stream say, or a whole answer does: all text that its provider has sent, for counting. */
import { createAssembler, isObject } from "@sluice/protocol"

export function textsRelayed(relayed: string, streamed: boolean): string[] {
  const { choices } = streamed ? assembled(relayed) : whole(relayed)
  return Array.isArray(choices) ? choices.flatMap(textsOfChoice) : []
}

function assembled(events: string): { choices: unknown } {
  const assembler = createAssembler()
  for (const line of events.split("\n"))
    if (line.startsWith(DATA)) assembler.add(JSON.parse(line.slice(DATA.length)))
  return assembler.completion()
}

function whole(answer: string): { choices?: unknown } {
  const value: unknown = answer === "" ? {} : JSON.parse(answer)
  return isObject(value) ? value : {}
}

function textsOfChoice(choice: unknown): string[] {
  const message: unknown = isObject(choice) ? choice["message"] : undefined
  if (!isObject(message)) return []
  const texts = [message["content"], message["reasoning"], message["refusal"]].filter(
    (text) => typeof text === "string",
  )
  const calls = message["tool_calls"]
  return calls === undefined ? texts : [...texts, JSON.stringify(calls)]
}

const DATA = "data: "
