# One node of Telle.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY build/runtime build/runtime
RUN npm ci
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY schemas schemas
COPY drizzle drizzle
COPY src src
COPY conformance conformance
COPY build build
RUN npm run build
RUN npm prune --omit=dev
# Of better-sqlite3 one addon is loaded: not SQLite's sources, nor the addons of other platforms.
RUN cd node_modules/better-sqlite3 \
  && rm -rf deps src \
  && find prebuilds -type f ! -name "linux-$(node -p process.arch).node" -delete

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    WELCOME=off
WORKDIR /app
# The database lies where it lies by default, in data: a setting here would go before those of a file.
RUN install --directory --owner node --group node --mode 0700 /data && ln -s /data data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
ARG VERSION=0.2.0
# Which commit it is made of, and when (RFC 3339): who publishes it says so.
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="Telle" \
      org.opencontainers.image.description="Live-chat middleware for car dealers: customers, agents, bots and other servers over one WebSocket endpoint." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="https://github.com/telle-chat/telle" \
      org.opencontainers.image.url="https://github.com/telle-chat/telle#readme" \
      org.opencontainers.image.documentation="https://github.com/telle-chat/telle/blob/main/docs/operations.md" \
      org.opencontainers.image.licenses="MIT"
USER node
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=4s --start-period=20s --retries=3 \
  CMD ["node", "-e", "const { PORT: port, TLS_CERT } = process.env; require(TLS_CERT ? 'https' : 'http').get({ port, host: '127.0.0.1', path: '/ready', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
