# ssec as an image: `docker build -t ssec .`, then
#   docker run --rm -p 9000:9000 -e SSEC_SECRET_ACCESS_KEY=… ssec serve --listen 0.0.0.0:9000 \
#       --data-dir /data/store --tls-name s3.test --access-key-id ID --bucket demo
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -e AWS_ACCESS_KEY_ID=… \
#       -e AWS_SECRET_ACCESS_KEY=… ssec test --endpoint https://s3.example.com --region us-east-1
# The run is kept in .ssec of the folder that is mounted, which must let that user write.
# The server's health is GET /-/health, over TLS as everything else.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package harness --bin ssec

FROM docker.io/library/debian:bookworm-slim
# Judging an https:// endpoint needs the authorities that the system trusts.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group ssec \
    && install -d -o ssec -g ssec -m 0700 /data \
    && install -d -o ssec -g ssec /work
COPY --from=build /src/target/dist/ssec /usr/local/bin/ssec
USER 10001:10001
# Runs are kept in .ssec of the working directory.
WORKDIR /work
VOLUME /data
EXPOSE 9000
ENTRYPOINT ["ssec"]
CMD ["serve", "--listen", "0.0.0.0:9000", "--data-dir", "/data/store"]
