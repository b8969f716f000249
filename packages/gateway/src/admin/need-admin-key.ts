import type { AuthedCall } from "../call.ts"
import { GatewayError } from "../gateway-error.ts"

/** Who may not come here does not learn what is here. */
export function needAdminKey({ key }: AuthedCall): void {
  if (key.admin) return
  throw new GatewayError("permission_denied", "This needs an admin key; the key that was sent is not one.")
}
