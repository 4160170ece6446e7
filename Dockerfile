# docker build -t lockstep:0.1.0 .
# docker run --rm -v lockstep:/home/node lockstep:0.1.0 train net19k
# Kernels are compiled for the instruction sets of the machine that builds, and for any other; the bits are the same.
FROM node:22-bookworm-slim AS build
WORKDIR /src
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
COPY . .
RUN npm run build && npm ci --omit=dev --workspace packages/cli
# what runs: no sources, no tests
RUN mkdir /app && cp -a package.json LICENSE node_modules /app && \
    for package in packages/*; do \
      mkdir -p "/app/$package" || exit 1; \
      for part in package.json dist page sample promised-hashes.json; do \
        [ ! -e "$package/$part" ] || cp -a "$package/$part" "/app/$package" || exit 1; \
      done; \
    done && \
    mkdir /app/packages/kernels/build /app/packages/kernels/wasm && \
    cp -a packages/kernels/wasm/*.wasm /app/packages/kernels/wasm && \
    cp -a packages/kernels/build/*.node packages/kernels/build/*.json /app/packages/kernels/build

FROM node:22-bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
COPY --from=build /app /app
RUN ln -s /app/packages/cli/dist/bin.js /usr/local/bin/lockstep
ENV NODE_ENV=production
USER 1000:1000
WORKDIR /home/node
# No HEALTHCHECK: a run is a job that ends; launch, train and worker answer probes with --health.
# tini hands on signals and takes in orphans; Node as process 1 would ignore SIGTERM before its handler is there.
ENTRYPOINT ["tini", "--", "node", "/app/packages/cli/dist/bin.js"]
CMD ["--help"]
