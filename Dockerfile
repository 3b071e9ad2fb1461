# syntax=docker/dockerfile:1
# docker build --tag trivium .
# docker build --tag trivium --build-arg FFMPEG=true .    # draws previews of videos, too
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The only install script that is allowed downloads Node, which the image has.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node node_modules/.bin/node
COPY src ./src
# A start fills the compile cache, which saves half of each later start. Node uses only a cache that the same user has
# written, so this is the user of the final stage.
RUN install --directory --owner=node --group=node node_modules/.cache
USER node
RUN set -eu; \
    TRIVIUM_DATA_DIR=/tmp/data TRIVIUM_PORT=4999 node src/main.js serve & server=$!; \
    until node --eval "fetch('http://127.0.0.1:4999/healthz').catch(() => process.exit(1))"; do \
      kill -0 "$server"; sleep 0.2; \
    done; \
    kill "$server"; wait "$server"; \
    rm -r /tmp/data; chmod -R a+rX node_modules/.cache

FROM ${NODE_IMAGE}
ARG FFMPEG=false
# tini reaps the processes that a killed decoder of previews leaves behind.
# hadolint ignore=DL3008
RUN set -eu; \
    packages=tini; if [ "$FFMPEG" = true ]; then packages="$packages ffmpeg"; fi; \
    apt-get update; \
    apt-get install --yes --no-install-recommends $packages; \
    rm -rf /var/lib/apt/lists/*; \
    install --directory --owner=node --group=node --mode=0700 /data
WORKDIR /app
# Owned by root: the server cannot change its own program.
COPY --from=build /app ./
ENV NODE_ENV=production \
    TRIVIUM_DATA_DIR=/data \
    TRIVIUM_HOST=0.0.0.0 \
    TRIVIUM_PORT=4000
# `node`, as a number: Kubernetes accepts only that as proof that the user is not root.
USER 1000:1000
VOLUME /data
EXPOSE 4000
# Not /readyz: an orchestrator that replaces unhealthy containers would replace all of them when the database is lost.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m --start-interval=1s \
    CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.TRIVIUM_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "/app/src/main.js"]
CMD ["serve"]
