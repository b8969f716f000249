/** What an answer should be: asked of the simulator itself, without a gateway and without an SDK. */
import { type Completion, toSdk } from "@sluice/protocol"
import { type Answer, type Ask, collect } from "./caller.ts"
import { wireBody } from "./callers/body.ts"
import { simModel } from "./support.ts"

export async function reference(simUrl: string, ask: Ask): Promise<Answer> {
  const response = await fetch(`${simUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...wireBody(ask), model: simModel(ask.model) }),
  })
  const completion: Completion = await response.json()
  if (!response.ok)
    throw new Error(`the simulator answered ${response.status}: ${JSON.stringify(completion)}`)
  return collect(async (collected) => {
    const { choices, usage } = toSdk(completion)
    for (const choice of choices) {
      collected.piece(choice.message)
      collected.choice(choice)
    }
    collected.usage(usage)
  }, {})
}
