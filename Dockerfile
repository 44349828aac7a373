# The package as npm has it, in an image of its own: `docker build --tag freshet .`
FROM node:22-bookworm-slim AS build
WORKDIR /freshet
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm pack

FROM node:22-bookworm-slim
# What Debian has of it now is right.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/freshet
RUN --mount=type=bind,from=build,source=/freshet,target=/build \
  npm install --no-audit --no-fund /build/freshet-*.tgz \
  && npm cache clean --force \
  && mkdir /lake \
  && chown node:node /lake
ENV NODE_ENV=production PATH=/opt/freshet/node_modules/.bin:$PATH
# By its number, for Kubernetes to see that it is not root's.
USER 1000:1000
# DuckDB's extensions come along: a container that starts downloads nothing.
RUN node --eval "import('/opt/freshet/node_modules/freshet/dist/dev/provision.js') \
  .then(({provisionExtensions}) => provisionExtensions(['ducklake', 'postgres_scanner', 'httpfs']))"
VOLUME /lake
EXPOSE 8080 9464
ENV FRESHET_HEALTH_ADDRESS=0.0.0.0:8080 FRESHET_METRICS_ADDRESS=0.0.0.0:9464
HEALTHCHECK --start-period=30s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:8080/livez').then(({ok}) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["freshet"]
CMD ["worker"]
