/**
 * `node --import`: atoma-sdk's entry loads a native module for its confidential calls, which `npm ci --ignore-scripts`
 * does not build. Nothing in the docs makes such a call, so an empty module stands in.
 */
import { registerHooks } from "node:module"

registerHooks({
  load(url, context, next) {
    if (!/\/node_modules\/blake2\/index\.js$/.test(url)) return next(url, context)
    return { format: "commonjs", source: "module.exports = {}", shortCircuit: true }
  },
})
