/**
 * node:http without what is built into it for others: an `import` of it evaluates each of its names, and three of them
 * (WebSocket and its events) load the whole of Node's fetch, 14 MB that a gateway never uses.
 */
export const { createServer } = process.getBuiltinModule("node:http")
