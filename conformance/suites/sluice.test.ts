import {
  sluice,
  sluiceAtoma,
  sluiceOpenRouter,
  sluiceOrq,
  sluiceOrqProxy,
  sluiceR9s,
} from "../callers/sluice.ts"
import { conformance } from "../suite.ts"

conformance([sluice, sluiceOpenRouter, sluiceR9s, sluiceAtoma, sluiceOrq, sluiceOrqProxy])
