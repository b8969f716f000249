export type { CamelCase, SdkName, ToSdk, ToWire, WireName } from "./names.ts"
export { toSdk, toWire, WIRE_NAMES } from "./names.ts"
