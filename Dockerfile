# feishu-authd as an image. On an intranet: --build-arg NODE_IMAGE=registry.example.com/node:24-bookworm-slim
# --build-arg NPM_REGISTRY=https://npm.example.com/. Nothing is fetched from anywhere else.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
ARG NPM_REGISTRY=https://registry.npmjs.org/
WORKDIR /app
# The packages are a layer of their own: it lasts until the lock file changes. None of them runs code at its
# installation; the build brings its own fetched tools and needs no compiler.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --registry=${NPM_REGISTRY}
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run --silent build
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="feishu-authd" \
      org.opencontainers.image.description="Gets, keeps and hands out Feishu user access tokens for the services of a company" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production \
    LOG_FORMAT=json \
    STATE_DIR=/app/state
WORKDIR /app
# The only place it writes to; a named volume takes over owner and mode.
RUN install -d -m 0700 -o 10001 -g 10001 state
COPY package.json ./
COPY cards ./cards
COPY status-page ./status-page
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
VOLUME ["/app/state"]
EXPOSE 9780 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["node", "dist/main.js", "health"]
# node itself is PID 1 and handles SIGTERM and SIGINT; a shell or npm in between would swallow them.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
