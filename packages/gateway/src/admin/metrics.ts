/** GET /metrics: for Prometheus, with an admin key. */
import { setImmediate as nextTurn } from "node:timers/promises"
import type { AuthedCall } from "../call.ts"
import type { Metrics } from "../telemetry/count.ts"
import { needAdminKey } from "./need-admin-key.ts"

export const METRICS_PATH = "/metrics"

/** Characters a turn of the loop: with hundreds of models a scrape is megabytes, and streams must not wait for it. */
const A_TURN = 128 * 1024

export async function sendMetrics(call: AuthedCall, metrics: Metrics): Promise<void> {
  needAdminKey(call)
  const { response } = call
  response.writeHead(200, {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": call.requestId,
  })
  let text = ""
  for (const piece of metrics.write()) {
    text += piece
    if (text.length < A_TURN) continue
    response.write(text)
    text = ""
    await nextTurn()
    if (response.destroyed) return
  }
  response.end(text)
}
