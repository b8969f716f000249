import type { UsageRules } from "../compatible/usage.ts"

export const openrouterUsage: UsageRules = {
  promptDetails: ["cache_write_tokens", "video_tokens"],
  completionDetails: ["image_tokens"],
  cost: true,
  unknown: false,
}
