// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what configuration files have
import assert from "node:assert/strict"
import { test } from "node:test"
import { inspect } from "node:util"
import { CREDENTIAL, EXAMPLE, load, refusal } from "../../test/config-support.ts"
import { describeConfig } from "../config.ts"

test("a configuration shows no credential, however it is printed", () => {
  const config = load(EXAMPLE, {
    environment: {
      OPENAI_API_KEY: CREDENTIAL,
      SLUICE_API_KEY: "sk-client-secret",
      SLUICE_ADMIN_KEY: "sk-admin-secret",
    },
  })
  const shown = [
    inspect(config, { depth: null, showHidden: true }),
    JSON.stringify(config),
    describeConfig(config).join("\n"),
    config.providers.map((provider) => `${provider.credentials}`).join(),
    `${config.keys.api} ${config.keys.admin}`,
  ]
  for (const text of shown) assert.ok(!/sk-(provider|client|admin)/.test(text), text)
})

test("no error shows a credential, wherever in the file it was put", () => {
  const places = [
    `providers: { a: { kind: openai, credential: "${CREDENTIAL} " } }`,
    `providers: { a: { kind: openai, credential: [["${CREDENTIAL}"]] } }`,
    `providers: { a: { kind: openai, credential: [k, "${CREDENTIAL} x"] } }`,
    `providers: { a: { kind: openai, credential: "k, ${CREDENTIAL} x" } }`,
    `providers: { a: { kind: openai, credential: { key: ${CREDENTIAL} } } }`,
    `providers: { a: { kind: openai, api_key: ${CREDENTIAL} } }`,
    `providers: { a: { kind: ${CREDENTIAL}, credential: none } }`,
    `providers: { a: { kind: openai, credential: none, base_url: "http://u:${CREDENTIAL}@h/v1" } }`,
    `providers: { a: { kind: openai, credential: none, base_url: ${CREDENTIAL} } }`,
    `providers: { a: { kind: openai, ${CREDENTIAL}: none } }`,
    `providers: { a: { kind: openai, credential: none, prefill: ${CREDENTIAL} } }`,
    `providers:\n  a:\n    credential: *${CREDENTIAL}\n`,
    `providers:\n  a:\n    credential: !${CREDENTIAL} x\n`,
    `providers:\n  a:\n    credential: @${CREDENTIAL}\n`,
    `providers:\n  a:\n    credential: "${CREDENTIAL}\n`,
    `providers:\n  a:\n    credential: a: ${CREDENTIAL}\n`,
    `providers: { a: { kind: openai, credential: ${CREDENTIAL}`,
    `models: { m: { candidates: [{ provider: ${CREDENTIAL}, model: m }] } }`,
    `${CREDENTIAL}`,
    "providers: { a: { kind: openai, credential: '${SPACED}' } }",
    "providers: { a: { kind: openai, credential: none, base_url: '${KEY}' } }",
    "providers: { a: { kind: '${KEY}', credential: none } }",
    "models: { m: { candidates: [{ provider: '${KEY}', model: m }] } }",
    "server: { port: '${KEY}', host: 'x ${KEY}' }",
  ]
  for (const yaml of places) {
    const error = refusal(() => load(yaml, { environment: { KEY: CREDENTIAL, SPACED: `${CREDENTIAL} x` } }))
    for (const text of [
      error.message,
      inspect(error, { depth: null }),
      JSON.stringify(error),
      String(error.stack),
    ]) {
      assert.ok(!text.includes(CREDENTIAL), `${yaml}\n${text}`)
    }
  }
})
