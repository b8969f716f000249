# The gateway from its sources, which Node 24 runs as they are.
#   docker build -t sluice . && docker run -p 4000:4000 -e SLUICE_API_KEY=sk-… -v sluice:/data sluice
# It listens to everyone who can reach the container, so it does not start without a key of yours.

FROM node:24-bookworm-slim AS installed
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/sdk/package.json packages/sdk/
COPY packages/gateway/package.json packages/gateway/
COPY packages/cli/package.json packages/cli/
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production SLUICE_DATA=/data
WORKDIR /app
COPY --from=installed /app ./
COPY packages packages
COPY LICENSE ./
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 4000
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "packages/cli/src/main.ts", "serve", "--host", "0.0.0.0"]
