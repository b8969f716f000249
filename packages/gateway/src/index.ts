export { ConfigError } from "./config.ts"
export { type RunningGateway, type StartOptions, startGateway } from "./main.ts"
export { type SimServer, startSimServer } from "./providers/sim-server.ts"
