export type { CallOptions, Chat } from "./chat.ts"
export { Sluice, type SluiceOptions } from "./client.ts"
export {
  AuthenticationError,
  CancelledError,
  ConnectionError,
  InvalidRequestError,
  MalformedResponseError,
  NotFoundError,
  PaymentRequiredError,
  PermissionDeniedError,
  ProviderError,
  RateLimitError,
  ServerError,
  SluiceError,
  StreamInterruptedError,
  TimeoutError,
  type TimerName,
} from "./errors.ts"
export { type JsonFormat, jsonFormat, MalformedOutputError } from "./format.ts"
export { type ResumingFetchOptions, resumingFetch } from "./resuming-fetch.ts"
export type { ChatChunk, ChatCompletion, ChatEvent, ChatModel, ChatParams } from "./shapes.ts"
export type { SchemaIssue, StandardSchema } from "./standard-schema.ts"
export { ChatStream } from "./stream.ts"
export type { SystemName } from "./system.ts"
export {
  MalformedToolCallError,
  type ParsedToolCall,
  parseToolCalls,
  type ToolDefinition,
  type TypedTool,
  tool,
} from "./tools.ts"
export type { TimerOptions } from "./watch.ts"
