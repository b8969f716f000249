/** Engines on the user's own machine. */
import type { KnownProvider } from "../known-provider.ts"
import { READ } from "./sources.ts"

export const ENGINES: readonly KnownProvider[] = [
  {
    name: "ollama",
    dialect: "openai",
    baseUrl: "http://127.0.0.1:11434/v1",
    variables: [],
    local: true,
    quirks: {
      refuses: ["logit_bias", "n", "user"],
      names: { max_completion_tokens: "max_tokens" },
    },
    usage: "unknown",
    supports: {
      streamingUsage: "yes",
      tools: "some",
      structuredOutput: "yes",
      reasoning: "some",
      logprobs: "yes",
    },
    notes: ["A model whose name ends in `cloud` runs at Ollama's, not on this machine."],
    asOf: READ,
    sources: ["https://docs.ollama.com/api/openai-compatibility"],
  },
  {
    name: "llama.cpp",
    dialect: "openai",
    baseUrl: "http://127.0.0.1:8080/v1",
    variables: [],
    local: true,
    usage: "unknown",
    supports: { tools: "some", reasoning: "some", prefill: "some" },
    notes: ["It answers 400 to an assistant's turn to go on with while a model thinks."],
    unverified: "where its streams report usage, and which members it takes and does nothing about",
    asOf: READ,
    sources: [
      "https://github.com/ggml-org/llama.cpp/issues/21889",
      "https://github.com/ggml-org/llama.cpp/issues/11755",
    ],
  },
  {
    name: "vllm",
    dialect: "openai",
    baseUrl: "http://127.0.0.1:8000/v1",
    variables: [],
    local: true,
    quirks: {
      prefill: {
        on: "request",
        members: { continue_final_message: true, add_generation_prompt: false },
      },
    },
    usage: "a chunk of its own",
    supports: {
      streamingUsage: "yes",
      tools: "some",
      reasoning: "some",
      prefill: "yes",
    },
    unverified: "which members newer versions take and do nothing about (`user`, `parallel_tool_calls` once)",
    asOf: READ,
    sources: [
      "https://docs.vllm.ai/en/v0.6.6/serving/openai_compatible_server.html",
      "https://github.com/ggml-org/llama.cpp/issues/11755",
    ],
  },
  {
    name: "lm-studio",
    dialect: "openai",
    baseUrl: "http://127.0.0.1:1234/v1",
    variables: [],
    local: true,
    usage: "unknown",
    supports: { tools: "some", structuredOutput: "yes" },
    unverified: "which members it takes and does nothing about",
    asOf: READ,
    sources: ["https://lmstudio.ai/docs/api/openai-api", "https://lmstudio.ai/docs/developer"],
  },
]
